#!/bin/bash
# A throwaway SLURM on this machine's loopback: cn1, cn2 in partition cpu; gn1, gn2 with two GPUs each in partition gpu.
#
#   cluster.sh start DIR    installs SLURM where it can, starts it, keeps its files in DIR
#   cluster.sh stop DIR     ends what start began, by its pid files
#   cluster.sh node DIR N   starts the daemon of node N again
#
# The GPUs are devices that every Linux has; they are counted, never opened. Jobs are accounted for in a MariaDB of the
# cluster's own. A job that holds more memory than it asked for is killed within seconds. Jobs run as root and /etc/slurm
# is linked to DIR, so use it on a machine that is itself throwaway, such as a CI runner.
set -euo pipefail

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { echo "error: $*" >&2; exit 1; }

[ $# -ge 2 ] || usage
command=$1
dir=$(realpath -m "$2")
packages="slurmctld slurmd slurmdbd slurm-client slurm-wlm-basic-plugins slurm-wlm-mysql-plugin munge mariadb-server"
configs="slurm.conf slurmdbd.conf gres.conf cgroup.conf"
export PATH=$PATH:/usr/sbin

install_packages() {
    type slurmctld slurmd slurmdbd squeue munged mariadbd >/dev/null 2>&1 && return
    [ "$(id -u)" = 0 ] || fail "SLURM is missing and only root can install it: sudo apt-get install $packages"
    type apt-get >/dev/null 2>&1 || fail "SLURM is missing and there is no apt-get; install what Debian has in $packages"
    # Packages must not start daemons of their own.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    { apt-get update -qq && apt-get install -qq --no-install-recommends $packages; } >/dev/null ||
        fail "apt-get could not install $packages"
}

write_config() {
    mkdir -p "$dir"/{spool,log,state/ctld}
    cat >"$dir/slurm.conf" <<END
ClusterName=throwaway
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
SlurmctldPort=16817
SlurmctldPidFile=$dir/state/slurmctld.pid
SlurmdPidFile=$dir/state/slurmd.%n.pid
SlurmdSpoolDir=$dir/spool/%n
StateSaveLocation=$dir/state/ctld
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,sched_min_interval=0
MinJobAge=7200
SlurmdTimeout=5
KillWait=2
UnkillableStepTimeout=600
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=16819
AccountingStorageTRES=gres/gpu
GresTypes=gpu
NodeName=DEFAULT CPUs=8 Boards=1 SocketsPerBoard=1 CoresPerSocket=8 ThreadsPerCore=1 RealMemory=64000
NodeName=cn[1-2] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[17001-17002]
NodeName=gn[1-2] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[17003-17004] Gres=gpu:t4:2
PartitionName=cpu Nodes=cn[1-2] Default=YES MaxTime=24:00:00 State=UP DefMemPerCPU=500
PartitionName=gpu Nodes=gn[1-2] MaxTime=24:00:00 State=UP DefMemPerCPU=500
END
    (umask 077 && cat >"$dir/slurmdbd.conf") <<END
AuthType=auth/munge
DbdHost=localhost
DbdPort=16819
SlurmUser=root
PidFile=$dir/state/slurmdbd.pid
LogFile=$dir/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=16820
StorageUser=slurm
StoragePass=throwaway
StorageLoc=accounting
END
    echo "NodeName=gn[1-2] Name=gpu Type=t4 File=/dev/tty[0-1]" >"$dir/gres.conf"
    echo "# none" >"$dir/cgroup.conf"
    # Jobs lose SLURM_CONF on their way to a step, so the files have to be where SLURM looks by itself.
    mkdir -p /etc/slurm
    for file in $configs; do
        [ -e "/etc/slurm/$file" ] && [ ! -L "/etc/slurm/$file" ] && fail "this machine has a SLURM: /etc/slurm/$file"
        ln -sfn "$dir/$file" "/etc/slurm/$file"
    done
}

# Whether the process that a pid file names is there; a zombie is not.
alive() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && ! grep -qs '^State:.Z' "/proc/$pid/status" && kill -0 "$pid" 2>/dev/null
}

wait_for() {
    for _ in $(seq 150); do
        eval "$1" && return
        sleep 0.2
    done
    fail "waited 30 s in vain for: $1; see $dir/log"
}

start_munge() {
    munge -n </dev/null >/dev/null 2>&1 && return  # one is there already
    mkdir -p /run/munge
    chown munge:munge /run/munge
    runuser -u munge -- munged --pid-file /run/munge/munged.pid
    cp /run/munge/munged.pid "$dir/state/munged.pid"
    wait_for "munge -n </dev/null >/dev/null 2>&1"
}

start_accounting() {
    if ! alive "$dir/state/mariadb.pid"; then
        # Its socket is in its own folder, for paths of sockets must be short.
        local server="--no-defaults --datadir=$dir/database --user=root"
        [ -d "$dir/database" ] || mariadb-install-db $server --skip-test-db >"$dir/log/mariadb.log" 2>&1 ||
            fail "no database could be made; see $dir/log/mariadb.log"
        cat >"$dir/database.sql" <<END
CREATE DATABASE IF NOT EXISTS accounting;
GRANT ALL ON accounting.* TO slurm@'%' IDENTIFIED BY 'throwaway';
END
        mariadbd $server --socket=socket --bind-address=127.0.0.1 --port=16820 --skip-name-resolve \
            --pid-file="$dir/state/mariadb.pid" --init-file="$dir/database.sql" >>"$dir/log/mariadb.log" 2>&1 &
        wait_for '(echo >/dev/tcp/127.0.0.1/16820) 2>/dev/null'
    fi
    alive "$dir/state/slurmdbd.pid" || slurmdbd
    wait_for 'sacctmgr -n show cluster >/dev/null 2>&1'
}

start() {
    install_packages
    [ "$(id -u)" = 0 ] || fail "only root can start this cluster"
    write_config
    start_munge
    start_accounting
    alive "$dir/state/slurmctld.pid" || slurmctld
    for node in cn1 cn2 gn1 gn2; do
        alive "$dir/state/slurmd.$node.pid" || slurmd -N "$node"
    done
    wait_for '[ "$(sinfo -h -N -o %T | grep -cE "^(idle|mixed|allocated)$")" = 4 ]'
}

stop() {
    [ -e "$dir/slurm.conf" ] || return 0
    if alive "$dir/state/slurmctld.pid"; then
        # Jobs that outlive their daemons would be taken for those of the next cluster.
        scancel --user "$(id -un)"
        wait_for '[ -z "$(squeue -h)" ]'
    fi
    for file in "$dir"/state/{slurmd.*,slurmctld,slurmdbd,mariadb,munged}.pid; do
        alive "$file" || continue
        kill "$(cat "$file")"
        wait_for "! alive $file"
        rm -f "$file"
    done
    for file in $configs; do
        [ "$(readlink "/etc/slurm/$file")" = "$dir/$file" ] && rm "/etc/slurm/$file"
    done
    return 0
}

case $command in
start | stop) "$command" ;;
node) alive "$dir/state/slurmd.$3.pid" || slurmd -N "$3" ;;
*) usage ;;
esac
