"""What models say, and where it is heard."""

import pytest

from harness.infer import body, outputs, post, tensor


@pytest.fixture(scope="module")
def server(module_servers):
    server = module_servers.start("talks")
    assert outputs(post(server, "talks", body(tensor("INPUT0", "BYTES", [1], ["hello"]))))
    return server


@pytest.mark.parametrize(
    "line",
    [
        r"^talks: initialize$",
        r"^MINE<DEBUG\|talker>logging hello$",
        r"^print hello$",
        r"^stderr hello$",
        r"^child hello$",
        r"^I\d{4} \d\d:\d\d:\d\d\.\d{6} \d+ model\.py:\d+\] \"Logger info hello\"$",
        r"^W\d{4} \d\d:\d\d:\d\d\.\d{6} \d+ model\.py:\d+\] \"Logger warning hello\"$",
        r"^E\d{4} \d\d:\d\d:\d\d\.\d{6} \d+ model\.py:\d+\] \"Logger error hello\"$",
    ],
)
def test_a_line_is_in_the_output(server, line):
    assert server.output.wait_for(line), server.log()


def test_print_goes_to_standard_output_and_logging_to_standard_error(server):
    assert server.output.wait_for("^print hello$")
    assert "print hello" in server.output.text("stdout").splitlines()
    assert server.output.wait_for("logging hello")
    assert "MINE<DEBUG|talker>logging hello" in server.output.text("stderr").splitlines()


def test_verbose_messages_are_hidden_unless_asked_for(server, servers):
    assert server.output.wait_for("Logger error hello")
    assert "Logger verbose" not in server.log()
    loud = servers.start("talks", "--log-verbose=1")
    assert outputs(post(loud, "talks", body(tensor("INPUT0", "BYTES", [1], ["loud"]))))
    assert loud.output.wait_for("Logger verbose loud")
