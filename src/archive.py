"""Finished runs as compact data, and back.

Use:  python -m src.archive pack [key=value ...]      <output_dir>/runs -> <destination>/<study>/, a folder a study
      python -m src.archive unpack [key=value ...]    the studies below <destination> -> <output_dir>/runs

  dataset, model, trainer, protocol, experiment, seed
                  which runs to pack; several with commas; default: all that are finished
  output_dir      outputs; destination: <output_dir>/records
"""

import sys
from collections.abc import Sequence

from src.analysis.settings import RecordSettings, choose
from src.config.command_line import read_settings, run_command
from src.errors import UserError
from src.records.archive import RUNS_FILE, pack, unpack


def main(arguments: Sequence[str]) -> int:
    """Print the folders made; the status is 1 where there is nothing to pack or unpack."""
    return run_command(arguments, str(__doc__), _body)


def _body(words: list[str]) -> int:
    if words[:1] not in (["pack"], ["unpack"]):
        raise UserError("say pack or unpack; see --help")
    settings = read_settings(RecordSettings, words[1:])
    folder = settings.folder("records")
    if words[0] == "pack":
        studies, _, messages = choose(settings)
        for study in studies:
            pack(study, folder / study.name)
            print(folder / study.name)
        print(*messages, sep="\n", end="\n" * bool(messages), file=sys.stderr)
        return 0
    packed = sorted(path.parent for path in folder.rglob(RUNS_FILE))
    if not packed:
        raise UserError(f"no packed runs below {folder}")
    for each in packed:
        print(*unpack(each, settings.output_dir), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
