"""Help in every language, suggestions, colours, completion, and the command doctor."""

import argparse
import re
import subprocess
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

import micrograd
from micrograd.commands import doctor
from micrograd.commands.main import COMMANDS, main, parser
from micrograd.commands.terminal import BAD, GOOD, Output, coloured
from micrograd.writing import languages
from micrograd.writing.labels import columns

ROOT = Path(micrograd.__file__).parent.parent
NAMES = [command.__name__.rpartition(".")[2] for command in COMMANDS]


def texts(of):
    """All texts of a parser and of its commands, without their examples."""
    yield from (of.description, of.epilog)
    yield from (group.title for group in of._action_groups)
    for action in of._actions:
        yield action.help
        if isinstance(action, argparse._SubParsersAction):
            yield from (listed.help for listed in action._choices_actions)
            for command in action.choices.values():
                yield from texts(command)


ENGLISH = {text.partition("\n")[0] for text in texts(parser()) if text}


def printed_by(words, capsys):
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 0
    return capsys.readouterr().out


def test_every_text_of_the_help_is_in_chinese():
    assert set(languages.words("zh", "help")) >= ENGLISH


@pytest.mark.parametrize("lang", languages.languages())
def test_no_translation_of_the_help_is_left_over(lang):
    assert set(languages.words(lang, "help")) <= ENGLISH


def test_values_in_help_are_the_same_in_every_language():
    for english, chinese in languages.words("zh", "help").items():
        assert chinese.count("%(default)s") == english.count("%(default)s")
        for name in re.findall(r"--[a-z-]+|\b[A-Z]{2,}\b", english):
            assert name in chinese, (name, chinese)


@pytest.mark.parametrize("name", ["", *NAMES])
@pytest.mark.parametrize("lang", languages.languages())
def test_help_fits_a_terminal_and_is_in_the_language_asked_for(lang, name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = printed_by(["--lang", lang, *name.split(), "--help"], capsys).splitlines()
    prose = [line for line in lines if not line.startswith("  micrograd ")]
    assert max(map(columns, prose)) <= 80
    if lang in ("en", "zh"):
        assert any(re.search("[\u4e00-\u9fff]", line) for line in prose) == (lang == "zh")


def test_titles_of_the_help_end_with_one_colon_of_their_language(capsys):
    titles = {}
    for lang in ("en", "zh"):
        lines = printed_by(["--lang", lang, "train", "--help"], capsys).splitlines()
        titles[lang] = [line for line in lines if line and line[-1] in ":：" and line[0] != " "]
    assert titles == {
        "en": ["options:", "options for CSV files:"],
        "zh": ["选项：", "CSV 文件的选项："],
    }


@pytest.mark.parametrize("words", [["--lang", "zh", "rules", "tanh"], ["rules", "--lang=zh"]])
def test_the_language_may_stand_before_the_command_or_after_it(words, capsys):
    assert main(words) == 0
    assert "可导范围：全体实数。" in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_help_has_an_example_that_the_command_understands(name, capsys):
    text = printed_by([name, "--help"], capsys)
    (example,) = re.findall("\n  micrograd (.*)", text)
    quoted = re.findall(r'"[^"]*"|\S+', example.partition(" >")[0])
    options = parser().parse_args([word.strip('"') for word in quoted])
    assert options.command.__name__ == name


def test_micrograd_alone_says_what_it_can_do(capsys):
    assert main([]) == 0
    text = capsys.readouterr().out
    assert all(f"    {name}" in text for name in NAMES)
    assert "\n  micrograd demo --out out" in text


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["expalin", "x"], "explain"),
        (["lvie", "x"], "live"),
        (["draw", "x", "--them", "dark", "--widht", "3"], "--width"),
        (["draw", "x", "--lnag", "zh"], "--lang"),
        (["check", "x", "--lang", "zn"], None),
        (["check", "x", "--widht", "3"], None),  # an option of another command
        (["--versoin"], "--version"),
        (["draw", "x", "--theme=dark", "--direktion", "LR"], "--direction"),
        (["nonsense"], None),
    ],
)
def test_a_misspelt_word_is_answered_with_a_suggestion(words, meant, capsys):
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    printed = capsys.readouterr().err
    said = re.findall("did you mean '(.*)'", printed)
    assert said == ([] if meant is None else [meant])
    command = words[0] if words[0] in NAMES else ""
    assert printed.startswith(f"usage: micrograd {command}")


# ----------------------------------------------------------------------------------------- colours


class Terminal:
    def __init__(self, is_terminal=True):
        self.text, self.is_terminal = "", is_terminal

    def write(self, text):
        self.text += text

    def isatty(self):
        return self.is_terminal


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def shown(text, is_terminal=True):
    stream = Terminal(is_terminal)
    Output(stream).write(text)
    return stream.text


def test_a_terminal_shows_colours_and_a_file_does_not():
    assert shown(coloured("ok", GOOD)) == "\x1b[32mok\x1b[0m"
    assert shown(coloured("wrong", BAD), is_terminal=False) == "wrong"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_user_can_do_without_colours(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    assert shown(coloured("ok", GOOD)) == "ok"


def test_text_from_elsewhere_cannot_colour():
    assert shown("\x1b[31mred") == "\\x1b[31mred"


# ------------------------------------------------------------------------------------------ doctor


@pytest.mark.slow
def test_doctor_lists_what_is_installed_and_exits_with_0(capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert f"{micrograd.__version__}, {Path(micrograd.__file__).parent}" in text
    assert all(f"\n{package} " in text for _, package, _ in doctor.LIBRARIES)
    assert text.endswith("All is well.\n")


@pytest.mark.slow
def test_doctor_speaks_chinese(capsys):
    assert main(["doctor", "--lang", "zh"]) == 0
    assert capsys.readouterr().out.endswith("一切正常。\n")


def test_doctor_says_how_to_install_what_is_missing(capsys, monkeypatch):
    real = doctor.find_spec
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name == "jax" else real(name))
    assert main(["doctor"]) == 0
    assert 'jax          missing, needed for backend="jax": pip install jax\n' in (
        capsys.readouterr().out
    )


def test_doctor_knows_libraries_that_lie_in_the_path_without_metadata(capsys, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", missing)
    assert main(["doctor"]) == 0
    assert "numpy        unknown\n" in capsys.readouterr().out


def test_doctor_notices_another_distribution_with_our_names(capsys, monkeypatch):
    owners = {"micrograd": ["micrograd", "micrograd-engine"], "nn": ["micrograd-engine"]}
    monkeypatch.setattr(doctor, "packages_distributions", lambda: owners)
    assert main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert "the package micrograd belongs to micrograd too" in text
    assert "pip uninstall micrograd && pip install --force-reinstall --no-deps " in text
    assert text.endswith("1 to mend.\n")


@pytest.mark.parametrize(("others", "remedy"), [(["micrograd"], "uninstall"), ([], "install --f")])
def test_only_doctor_runs_where_another_distribution_replaced_our_file(
    others, remedy, capsys, monkeypatch
):
    monkeypatch.delattr(micrograd, "__all__")
    owners = {"micrograd": [*others, "micrograd-engine"], "nn": ["micrograd-engine"]}
    monkeypatch.setattr(doctor, "packages_distributions", lambda: owners)
    for words in (["--version"], ["explain", "x * y"], []):
        assert main(words) == 2
        assert "`micrograd doctor` says what to do" in capsys.readouterr().err
    assert main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert f"pip {remedy}" in text
    assert text.endswith("1 to mend.\n")


def test_doctor_notices_a_foreign_nn(tmp_path, capsys, monkeypatch):
    (tmp_path / "nn").mkdir()
    (tmp_path / "nn" / "__init__.py").write_text("")
    real = doctor.find_spec
    foreign = type("Spec", (), {"origin": str(tmp_path / "nn" / "__init__.py")})
    monkeypatch.setattr(doctor, "find_spec", lambda name: foreign if name == "nn" else real(name))
    assert main(["doctor"]) == 1
    assert f"the package nn that Python finds is at {tmp_path / 'nn'}" in capsys.readouterr().out


# ----------------------------------------------------------------- completion, and what to install


def test_bash_completes_commands_and_options(tmp_path, capsys):
    pytest.importorskip("shtab", reason="pip install shtab")
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "completion"
    script.write_text(capsys.readouterr().out)
    complete = (
        f"source {script}; COMP_WORDS=(micrograd %s); COMP_CWORD=%d; "
        "_shtab_micrograd; printf '%%s\\n' ${COMPREPLY[@]}"
    )

    def completed(words, place):
        run = ["bash", "-c", complete % (words, place)]
        return subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()

    assert completed("ex", 1) == ["explain", "export"]
    assert "--theme" in completed("draw --", 2)


def test_without_shtab_completion_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "shtab", None)
    assert main(["completion", "zsh"]) == 2
    assert capsys.readouterr().err == "micrograd: completion needs shtab: pip install shtab\n"


def test_a_hint_names_packages_that_an_extra_installs():
    extras = (ROOT / "pyproject.toml").read_text("utf-8")
    hints = []
    for folder in ("micrograd", "nn", "examples"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            hints += re.findall(r"pip install ((?:[a-z][a-z-]*[a-z] ?)+)", file.read_text("utf-8"))
    assert len(hints) > 10
    for package in {name for hint in hints for name in hint.split()}:
        assert re.search(rf'"{package}[><=;"]', extras), package
