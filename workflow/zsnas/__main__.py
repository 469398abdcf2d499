"""What there is to study: `python -m zsnas list`."""

import argparse

from zsnas import errors, registry


def describe():
    """Spaces, proxies and devices as text, one line each."""
    lines = ["Spaces"]
    for space in registry.spaces().values():
        counts = f"{space.architectures} architectures, {space.canonical} canonical networks"
        lines.append(f"  {space.name:<14} {counts}; tasks: {', '.join(space.tasks)}")
    lines.append("\nProxies")
    for proxy in sorted(registry.proxies().values(), key=lambda proxy: (not proxy.structural, proxy.name)):
        lines.append(f"  {proxy.name:<14} {proxy.paper or '-':<18} needs {', '.join(proxy.needs):<28} {proxy.summary}")
    lines.append("\nDevices")
    for device in registry.devices().values():
        lines.append(f"  {device.pattern}  {device.summary}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas", description=__doc__)
    parser.add_argument("command", choices=["list"])
    parser.parse_args()
    print(describe())


if __name__ == "__main__":
    errors.run(main)
