"""A disk that fails or is slow, for a program that was started with `env`; see bad_disk.c."""
from support.settings import build_dir


class BadDisk:
    def __init__(self, path):
        self.path = path
        self.env = {"LD_PRELOAD": str(build_dir() / "tests/support/libbad_disk.so"),
                    "BAD_DISK": str(path)}

    def set(self, *rules):
        """These and no others, from the next call on."""
        new = self.path.with_suffix(".new")
        new.write_text("".join(rule + "\n" for rule in rules))
        new.rename(self.path)
