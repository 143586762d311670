"""MT5_AGENT_COMMAND: words as the operator wrote them, and a host that is nothing but a host."""

import pytest

from core.agent_command import AgentCommand, CommandError, agent_command, host_name, words_of

SSH = "ssh -T {host} python C:/reckoner/agent.py"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ssh {host} python agent.py", ("ssh", "{host}", "python", "agent.py")),
        (r"C:\Python\python.exe C:\r\agent.py", (r"C:\Python\python.exe", r"C:\r\agent.py")),
        ('"C:/Program Files/p.exe" agent.py', ("C:/Program Files/p.exe", "agent.py")),
        ("""ssh {host} '"C:/a b/p.exe"' x""", ("ssh", "{host}", '"C:/a b/p.exe"', "x")),
        ("  a   b#c ;&|> ", ("a", "b#c", ";&|>")),
    ],
)
def test_quotes_hold_words_together_and_a_backslash_is_itself(
    line: str, words: tuple[str, ...]
) -> None:
    assert words_of(line) == words


@pytest.mark.parametrize("line", ["", "  ", "a 'b", 'a "b', "''"])
def test_a_line_that_starts_nothing_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        words_of(line)


def test_the_host_stands_where_the_command_says() -> None:
    command = AgentCommand(("ssh", "trader@{host}", "python", "agent.py"))
    assert command.argv("win-1.example") == ["ssh", "trader@win-1.example", "python", "agent.py"]


def test_a_command_for_one_host_takes_none() -> None:
    command = AgentCommand(("wine64", "python.exe", "agent.py"))
    assert command.argv("") == ["wine64", "python.exe", "agent.py"]
    with pytest.raises(CommandError, match="leads nowhere"):
        command.argv("win1")


def test_a_command_for_many_hosts_wants_one() -> None:
    with pytest.raises(CommandError, match="no host is given"):
        AgentCommand(words_of(SSH)).argv("")


@pytest.mark.parametrize("name", ["win1", "10.0.0.7", "a-b_c.example", "7", "x" * 253])
def test_a_host_has_a_hosts_name(name: str) -> None:
    assert host_name(name) == name
    assert AgentCommand(words_of(SSH)).argv(name)[2] == name


@pytest.mark.parametrize(
    "name",
    [
        "-oProxyCommand=calc",
        ".hidden",
        "_x",
        "a b",
        "a;b",
        "a\n",
        "a/b",
        "user@a",
        "$(a)",
        "wín",
        "{host}",
        "x" * 254,
    ],
)
def test_a_host_can_be_no_option_of_ssh_and_no_word_of_a_shell(name: str) -> None:
    with pytest.raises(CommandError, match="a host's name"):
        AgentCommand(words_of(SSH)).argv(name)


def test_empty_is_this_interpreter_on_windows_and_nothing_elsewhere() -> None:
    own = agent_command(None, platform="win32", python=r"C:\py\python.exe")
    assert own is not None
    python, script = own.argv("")
    assert python == r"C:\py\python.exe"
    assert script.replace("\\", "/").endswith("core/adapters/mt5/agent.py")
    assert agent_command(None, platform="linux") is None


def test_a_command_that_is_given_is_taken_everywhere() -> None:
    for platform in ("win32", "linux", "darwin"):
        assert agent_command("a b", platform=platform) == AgentCommand(("a", "b"))
