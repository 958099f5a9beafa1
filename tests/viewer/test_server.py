"""Who may see the page: this machine, with the token, and no other site."""

import http.client
import socket
from urllib.parse import urlsplit

import pytest

pytest.importorskip("bokeh")

import pairsweep as ps
from pairsweep.cli import commands as cli
from pairsweep.cli.parser import UNUSABLE
from pairsweep.contract.errors import UsageError
from tests.datasets import growth_sweep


@pytest.fixture(scope="module")
def served():
    page = ps.view(growth_sweep({"rho_high": [0.5, 0.7, 0.9], "g": [1e-7, 1e-6]}))
    yield page
    page.close()


def answer(url, path=None, **headers):
    """Status and text of an answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path if path is not None else parts.path, headers=names)
    found = connection.getresponse()
    text = found.read().decode("utf-8", "replace")
    connection.close()
    return found.status, text


def test_the_page_asks_nobody_else_for_anything(served):
    status, text = answer(served.url)
    assert status == 200
    assert "A sweep of the tests" in text
    token = urlsplit(served.url).path
    for source in text.split('src="')[1:]:
        assert source.startswith(token), source[:80]
    assert "https://" not in text.split("<body")[0]


def test_it_listens_on_the_loopback_address_alone(served):
    port = urlsplit(served.url).port
    with socket.socket() as other:
        other.bind(("127.0.0.2", port))  # free: not bound to every address


@pytest.mark.parametrize(
    "path", ["/", "/static/js/bokeh.min.js", "/ws", "/autoload.js", "/metadata", "/WRONG/", "/WRONG/ws"]
)
def test_nothing_is_shown_without_the_token(served, path):
    status, text = answer(served.url, path)
    assert status == 403
    assert "A sweep" not in text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "[::1]"])
def test_other_hosts_are_refused(served, host):
    assert answer(served.url, Host=host)[0] == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://localhost"])
@pytest.mark.parametrize("path", ["", "ws", "static/js/bokeh.min.js"])
def test_other_origins_are_refused(served, origin, path):
    assert answer(served.url, urlsplit(served.url).path + path, Origin=origin)[0] == 403


def upgrade(served, origin):
    key = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec_WebSocket_Key": "eA==",
        "Sec_WebSocket_Version": "13",
    }
    return answer(served.url, urlsplit(served.url).path + "ws", Origin=origin, **key)[0]


def test_websockets_of_other_origins_are_refused(served):
    assert upgrade(served, "http://evil.example") == 403
    assert upgrade(served, f"http://127.0.0.1:{urlsplit(served.url).port}") != 403


def test_localhost_is_this_machine_as_well(served):
    port = urlsplit(served.url).port
    assert answer(served.url, Host=f"localhost:{port}", Origin=f"http://localhost:{port}")[0] == 200


def test_a_port_that_is_taken_is_an_error_of_one_line(served):
    with pytest.raises(UsageError, match="name another port, or none"):
        ps.view(growth_sweep({"g": [1e-6]}), port=urlsplit(served.url).port)


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_that_is_none_is_an_error_of_one_line(port):
    with pytest.raises(UsageError, match="--port"):
        ps.view(growth_sweep({"g": [1e-6]}), port=port)


def test_a_notebook_shows_it_in_a_frame(served):
    assert f'<iframe src="{served.url}"' in served._repr_html_()


def test_a_closed_page_answers_no_more():
    page = ps.view(growth_sweep({"g": [1e-6]}))
    assert answer(page.url)[0] == 200
    page.close()
    page.close()
    with pytest.raises(ConnectionRefusedError):
        answer(page.url)


def test_bad_stores_are_errors_of_one_line(tmp_path, capsys):
    (tmp_path / "text.zarr").write_text("none")
    for path in (tmp_path / "none.zarr", tmp_path / "text.zarr", tmp_path):
        assert cli.main(["view", str(path), "--no-open"]) == UNUSABLE
        assert capsys.readouterr().err.count("\n") == 1


def test_without_the_extra_it_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "bokeh", None)
    assert cli.main(["view", str(tmp_path), "--no-open"]) == UNUSABLE
    assert "pip install 'pairsweep[view]'" in capsys.readouterr().err
