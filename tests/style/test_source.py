"""House style that a program can check: format, size, forbidden words and calls."""
import concurrent.futures
import re
import subprocess

from conftest import tracked
from support.settings import SOURCE

FILE_LINES = 500
LINE_CHARACTERS = 100
BANNED_CALLS = ("strcpy", "strcat", "sprintf", "vsprintf", "atoi", "atol", "strtok",
                "gmtime", "localtime", "asctime", "ctime", "alloca", "gets")
RAW_MEMORY = ("malloc", "calloc", "realloc", "strdup", "strndup", "free")


def run(*command):
    return subprocess.run([str(word) for word in command], cwd=SOURCE, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)


def blank(match):
    """Nothing but its lines."""
    return re.sub(r"[^\n]", "", match.group(0))


def code_of(path):
    """The text of a C file with comments and literals blanked, its lines kept."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank,
                  (SOURCE / path).read_text(), flags=re.S)


def calls_of(names, paths):
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(")
    return [f"{path}:{number}: {match.group(1)}"
            for path in paths
            for number, line in enumerate(code_of(path).splitlines(), 1)
            for match in pattern.finditer(line)]


def test_c_code_is_formatted(source_files):
    done = run("clang-format", "--dry-run", "-Werror", *source_files)
    assert done.returncode == 0, done.stderr


def test_files_have_at_most_500_lines(source_files):
    sizes = {path: len((SOURCE / path).read_text().splitlines())
             for path in [*source_files, *tracked("*.py", "*.sh", "*.sql", "scripts/*")]}
    assert not {str(path): n for path, n in sizes.items() if n > FILE_LINES}


def test_lines_have_at_most_100_characters(product_files):
    """clang-format does not cut comments.  Tables that it leaves alone are as wide as they are."""
    wrong = []
    for path in product_files:
        text = (SOURCE / path).read_text()
        text = re.sub(r"/\* clang-format off \*/.*?(/\* clang-format on \*/|\Z)", blank, text,
                      flags=re.S)
        wrong += [f"{path}:{number}" for number, line in enumerate(text.splitlines(), 1)
                  if len(line) > LINE_CHARACTERS]
    assert not wrong


def test_no_banned_function_is_called(source_files):
    assert not calls_of(BANNED_CALLS, source_files)


def test_memory_comes_from_one_place(product_files):
    """So that tests can make any allocation fail."""
    outside = [path for path in product_files if path.name != "mem.c"]
    assert not calls_of(RAW_MEMORY, outside)


def test_nothing_is_left_to_do():
    pattern = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|st" r"ub)\b")
    found = [f"{path}:{number}: {line.strip()}"
             for path in tracked("*.[ch]", "*.py", "*.sql", "*.sh", "*.txt", "*.cmake",
                                 "*.md", "*.yml", "scripts/*", "deploy/*")
             for number, line in enumerate((SOURCE / path).read_text().splitlines(), 1)
             if pattern.search(line)]
    assert not found


def test_text_files_are_tidy():
    """No tabs, no spaces at the end of a line, exactly one line feed at the end."""
    wrong = []
    for path in tracked("*.[ch]", "*.py", "*.sql", "*.sh", "*.lua", "*.txt", "*.cmake", "*.md",
                        "*.yml", "*.json", "scripts/*", "deploy/*", ".ci/*"):
        text = (SOURCE / path).read_text()
        for number, line in enumerate(text.splitlines(), 1):
            if line != line.rstrip() or "\t" in line:
                wrong.append(f"{path}:{number}")
        if not text.endswith("\n") or text.endswith("\n\n"):
            wrong.append(f"{path}: its end")
    assert not wrong


def compiles_alone(compiler, path, flags):
    done = run(compiler, "-fsyntax-only", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra",
               "-Werror", "-I.", *flags, "-include", path, "-x", "c", "/dev/null")
    return f"{compiler}: {done.stderr}" if done.returncode else None


def test_each_header_compiles_alone(headers):
    flags = run("pkg-config", "--cflags", "libmicrohttpd", "hiredis", "libpq", "libcjson",
                "libuv", "zlib").stdout.split()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(compiles_alone, compiler, path, flags)
                for path in headers for compiler in ("gcc", "clang")]
        wrong = [job.result() for job in jobs if job.result()]
    assert not wrong, "\n".join(wrong)


def test_header_guards_have_the_name_of_the_file(headers):
    wrong = []
    for path in headers:
        guard = re.sub(r"[/.]", "_", str(path)).upper()
        if f"#ifndef {guard}\n#define {guard}\n" not in (SOURCE / path).read_text():
            wrong.append(f"{path}: {guard}")
    assert not wrong


def test_files_begin_with_what_they_are(product_files):
    wrong = [str(path) for path in product_files
             if not (SOURCE / path).read_text().startswith(f"/* {path.name} -- ")]
    assert not wrong


def test_shellcheck_finds_nothing(scripts):
    done = run("shellcheck", "-x", *scripts)
    assert done.returncode == 0, done.stdout


def test_shell_scripts_stop_at_errors(scripts):
    """The parts that are only sourced say so, the others set the flags themselves."""
    wrong = [str(path) for path in scripts
             if "# shellcheck shell=bash" not in (SOURCE / path).read_text()
             and not re.search(r"^set -euo? ?(pipefail)?$", (SOURCE / path).read_text(),
                               flags=re.M)]
    assert not wrong


def test_python_code_compiles():
    for path in tracked("*.py"):
        compile((SOURCE / path).read_text(), str(path), "exec")
