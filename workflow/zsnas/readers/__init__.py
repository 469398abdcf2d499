"""Readers of benchmark files, one format per file, found by name: the `reader` column of config/sources.csv.

A reader has two functions. `read(path, column)` returns a frame with `arch`, `value` and, where the file tells,
`train_seeds`: one row per architecture the file holds, so whether that is all of the space is for the caller to say. A
`value` may be NaN, which says that it was not measured; `zsnas.sources.read` leaves such rows out.
`check(path, column)` finds out quickly whether the file is of the format and has the column. One that lists a space has
`names(path)`, or `names(path, space)` where it lists several, or `designs(path, sweep)` where names do not tell the
networks: the space's module calls it. All raise StudyError naming the file. Of a folder that can be fetched
`contents(columns)` names the files.
"""
