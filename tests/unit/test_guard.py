"""Which addresses may be fetched: only public ones, at the moment of connecting, and one exact exception."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.domain.errors import OutputError
from lib.domain.stored_output import OutputFault
from lib.ports.storage import OutputStream
from lib.providers.fetch import GuardedOutputSource
from lib.providers.guard import AddressGuard, is_public
from tests.fakes.file_server import FileServer, serves
from tests.fakes.tls import untrusted_context

PUBLIC = "93.184.215.14"
EXCEPTION = "127.0.0.1:9021"


class Network:
    """Names and addresses as the test says; connections to public addresses end at a local server."""

    def __init__(self, *answers: list[str], port: int = 0) -> None:
        self.answers = list(answers)
        self.port = port
        self.resolved: list[str] = []
        self.dialled: list[str] = []

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        return self.answers.pop(0)

    def connect(self, address: tuple[str, int], timeout: float) -> socket.socket:
        self.dialled.append(address[0])
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def guard(self, exception: str = "", cafile: str | None = None) -> AddressGuard:
        return AddressGuard(exception, resolve=self.resolve, connect=self.connect, cafile=cafile)


def code_of(source: GuardedOutputSource, url: str) -> str:
    with pytest.raises(OutputError) as caught:
        source.open(url)
    return caught.value.code


def read_all(stream: OutputStream) -> bytes:
    chunks = iter(lambda: stream.read(1000), b"")
    try:
        return b"".join(chunks)
    finally:
        stream.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "169.254.170.2",
        "100.64.0.1",
        "100.127.255.255",
        "0.0.0.0",  # noqa: S104 -- an address to refuse, not to bind
        "0.1.2.3",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "2001:0:53aa:64c::1",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%2",
        "fec0::1",
        "ff02::1",
        "100::1",
        "3fff::1",
        "5f00::1",
        "not an address",
        "",
    ],
)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", [PUBLIC, "8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "2a00:1450::5"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example/a.png",
        "ftp://files.example/a.png",
        "file:///etc/passwd",
        "gopher://files.example/",
        "//files.example/a.png",
        "",
        "https://",
        "https:///a.png",
        "https://files.example:8443/a.png",
        "https://files.example:80/a.png",
        "https://files.example:99999/a.png",
        "https://user@files.example/a.png",
        "https://user:password@files.example/a.png",
        "https://@files.example/a.png",
        "https://files.example\\@127.0.0.1/a.png",
        "https://files.example/a b.png",
        "https://files.example/a\r\nHost: inside",
        "https://[fe80::1%25eth0]/a.png",
        "https://[::1/a.png",
    ],
)
def test_a_url_of_another_form_is_refused_before_any_name_is_looked_up(url: str) -> None:
    network = Network()
    assert code_of(GuardedOutputSource(network.guard()), url) == OutputFault.FORBIDDEN_ADDRESS
    assert network.resolved == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_every_spelling_of_this_machine_is_refused_by_the_real_resolver(host: str) -> None:
    assert code_of(GuardedOutputSource(AddressGuard()), f"https://{host}/a.png") in (
        OutputFault.FORBIDDEN_ADDRESS,
        OutputFault.UNAVAILABLE,  # a resolver may not know a spelling at all
    )


def test_a_name_that_leads_inside_is_refused_and_nothing_is_dialled() -> None:
    network = Network(["10.0.0.7"])
    error = code_of(GuardedOutputSource(network.guard()), "https://inside.example/a.png")
    assert error == OutputFault.FORBIDDEN_ADDRESS
    assert network.dialled == []


def test_of_a_name_with_several_addresses_only_public_ones_are_dialled(trusted: "Trusted") -> None:
    network = Network(["10.0.0.7", "64:ff9b::a00:7", PUBLIC], port=trusted.server.port)
    source = GuardedOutputSource(network.guard(cafile=trusted.cafile))
    assert read_all(source.open("https://localhost/a.png")) == b"hello"
    assert network.dialled == [PUBLIC]


def test_an_unknown_name_is_worth_another_try() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(OutputError) as caught:
        GuardedOutputSource(AddressGuard(resolve=unknown)).open("https://nowhere.example/a.png")
    assert caught.value.code == OutputFault.UNAVAILABLE
    assert caught.value.retryable


class Trusted:
    """A TLS server for `localhost` and the file with its certificate."""

    def __init__(self, server: FileServer, cafile: str) -> None:
        self.server, self.cafile = server, cafile


@pytest.fixture
def trusted(tmp_path: Path) -> Iterator[Trusted]:
    with FileServer(serves(b"hello"), untrusted_context(tmp_path)) as server:
        yield Trusted(server, str(tmp_path / "server.pem"))


def test_the_checked_address_is_dialled_while_tls_and_host_keep_the_name(trusted: Trusted) -> None:
    network = Network([PUBLIC], port=trusted.server.port)
    source = GuardedOutputSource(network.guard(cafile=trusted.cafile))
    assert read_all(source.open("https://localhost/a.png?x=1")) == b"hello"
    assert network.resolved == ["localhost"]
    assert network.dialled == [PUBLIC]
    assert trusted.server.names == ["localhost"]
    assert trusted.server.requests[0].startswith("GET /a.png?x=1 HTTP/1.1\r\n")
    assert "\r\nHost: localhost\r\n" in trusted.server.requests[0]


def test_a_name_that_is_rebound_inside_is_refused_at_the_next_connection(trusted: Trusted) -> None:
    network = Network([PUBLIC], ["127.0.0.1"], port=trusted.server.port)
    source = GuardedOutputSource(network.guard(cafile=trusted.cafile))
    read_all(source.open("https://localhost/a.png"))
    assert code_of(source, "https://localhost/a.png") == OutputFault.FORBIDDEN_ADDRESS
    assert network.dialled == [PUBLIC]


def test_one_connection_looks_its_name_up_once(trusted: Trusted) -> None:
    network = Network([PUBLIC], ["127.0.0.1"], port=trusted.server.port)
    read_all(GuardedOutputSource(network.guard(cafile=trusted.cafile)).open("https://localhost/a.png"))
    assert len(network.resolved) == 1


def test_a_certificate_of_another_name_is_refused(trusted: Trusted) -> None:
    network = Network([PUBLIC], port=trusted.server.port)
    with pytest.raises(OutputError, match="certificate") as caught:
        GuardedOutputSource(network.guard(cafile=trusted.cafile)).open("https://files.example/a.png")
    assert (caught.value.code, caught.value.retryable) == (OutputFault.UNAVAILABLE, False)


def test_a_certificate_that_nobody_trusts_is_refused(trusted: Trusted) -> None:
    network = Network([PUBLIC], port=trusted.server.port)
    with pytest.raises(OutputError, match="certificate"):
        GuardedOutputSource(network.guard()).open("https://localhost/a.png")


@pytest.mark.parametrize(
    "location",
    [
        "https://inside.example/secret",
        "https://169.254.169.254/latest/meta-data/",
        "http://localhost/a.png",
        "file:///etc/passwd",
        "https://user:pw@localhost/a.png",
    ],
)
def test_a_redirect_is_checked_like_any_other_address(location: str, tmp_path: Path) -> None:
    reply = serves(b"", f"Location: {location}", status="302 Found")
    with FileServer(reply, untrusted_context(tmp_path)) as server:
        network = Network([PUBLIC], ["169.254.169.254"], port=server.port)
        source = GuardedOutputSource(network.guard(cafile=str(tmp_path / "server.pem")))
        assert code_of(source, "https://localhost/a.png") == OutputFault.FORBIDDEN_ADDRESS
        assert network.dialled == [PUBLIC]


def test_a_redirect_from_the_exception_inside_is_refused() -> None:
    with FileServer(serves(b"secret")) as inside:
        reply = serves(b"", f"Location: {inside.url()}", status="307 Temporary Redirect")
        with FileServer(reply) as server:
            source = GuardedOutputSource(AddressGuard(server.authority))
            assert code_of(source, server.url()) == OutputFault.FORBIDDEN_ADDRESS
        assert inside.requests == []


def test_the_exception_is_fetched_over_plain_http() -> None:
    with FileServer(serves(b"hello")) as server:
        assert read_all(GuardedOutputSource(AddressGuard(server.authority)).open(server.url())) == b"hello"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9022/a",
        "http://127.0.0.1/a",
        "http://127.0.0.1:90210/a",
        "http://127.1:9021/a",
        "http://localhost:9021/a",
        "http://2130706433:9021/a",
        "http://0x7f000001:9021/a",
        "http://127.0.0.1.:9021/a",
        "http://[::1]:9021/a",
        "http://[::ffff:127.0.0.1]:9021/a",
        "http://127.0.0.1:9021@evil.example/a",
        "http://user@127.0.0.1:9021/a",
        "ftp://127.0.0.1:9021/a",
        f"http://{EXCEPTION},127.0.0.1:9023/a",
    ],
)
@pytest.mark.parametrize("exceptions", [EXCEPTION, f"127.0.0.1:9023, {EXCEPTION}"])
def test_the_exception_holds_for_its_exact_spelling_only(url: str, exceptions: str) -> None:
    network = Network()
    assert code_of(GuardedOutputSource(network.guard(exceptions)), url) == OutputFault.FORBIDDEN_ADDRESS
    assert network.dialled == []


def test_several_exceptions_are_told_apart_by_commas() -> None:
    guard = AddressGuard(f"{EXCEPTION}, [::1]:9023,,Files.Example:80")
    for place in (EXCEPTION, "[::1]:9023", "files.example:80"):
        assert guard.destination(f"http://{place}/a").exempt
    assert not guard.destination("https://files.example/a").exempt


def test_without_an_exception_nothing_is_exempt() -> None:
    assert not AddressGuard(" , ").destination("https://files.example/").exempt
    assert not AddressGuard().destination("https://files.example/").exempt
    assert not AddressGuard(" ").destination("https://files.example/").exempt


def test_the_exceptions_certificate_is_checked_too(tmp_path: Path) -> None:
    with FileServer(serves(b"hello"), untrusted_context(tmp_path)) as server:
        source = GuardedOutputSource(AddressGuard(server.authority))
        with pytest.raises(OutputError, match="TLS") as caught:
            source.open(f"https://{server.authority}/a")
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
