"""The catalogue: what it reads, what it refuses, and which names lead to which service."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paygent.errors import InvalidInput, UnknownService, UnsafeDestination
from paygent.outbound import check_url
from paygent.registry.catalogue import Catalogue, Service

MARKET = Service("market data API", "https://market.example.com/", aliases=("prices",))
WEATHER = Service("weather service", "https://weather.example.com/")
CATALOGUE = Catalogue([MARKET, WEATHER])
ADDRESS = "0x" + "AB" * 20


def written(folder: Path, text: str) -> Path:
    path = folder / "services.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_field_is_read_from_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        f"""
        [[service]]
        name = "market data API"
        url = "http://127.0.0.1:4021/data"
        method = "POST"
        description = "Prices."
        pay_to = "{ADDRESS}"
        price = "0.10"
        aliases = ["prices", "quotes"]

        [[service]]
        name = "weather"
        url = "https://weather.example.com/"
        """,
    )
    assert Catalogue.load(path).services == (
        Service(
            "market data API", "http://127.0.0.1:4021/data", "POST", "Prices.", ADDRESS, "0.10", ("prices", "quotes")
        ),
        Service("weather", "https://weather.example.com/"),
    )


def test_an_empty_file_is_an_empty_catalogue(tmp_path: Path) -> None:
    assert Catalogue.load(written(tmp_path, "")).services == ()


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('name = "x"', "service 'x' has no url. Add it"),
        ('url = "https://a.example.com/"', "service number 1 has no name. Add it"),
        ('name = "x"\nurl = "ftp://a.example.com/"', "service 'x': .* Write it as https://"),
        ('name = "x"\nurl = "https://u:p@a.example.com/"', "service 'x': .* credentials as a header"),
        ('name = "x"\nurl = 5', "service 'x': url must be text. Write url = \"5\""),
        ('name = " "\nurl = "https://a.example.com/"', "no service name"),
        ('name = "a\\nb"\nurl = "https://a.example.com/"', "no service name"),
        ('name = "x"\nurl = "https://a.example.com/"\nprice = 0.1', 'price must be text. Write price = "0.1"'),
        ('name = "x"\nurl = "https://a.example.com/"\nprice = "1,000"', "'1,000' is no positive decimal"),
        ('name = "x"\nurl = "https://a.example.com/"\nprice = "0.00"', "'0.00' is no positive decimal"),
        ('name = "x"\nurl = "https://a.example.com/"\npay_to = "0x12"', "'0x12' is no address"),
        ('name = "x"\nurl = "https://a.example.com/"\nmethod = "get"', "'get' is none of GET"),
        ('name = "x"\nurl = "https://a.example.com/"\naliases = "y"', "aliases must be a list"),
        ('name = "x"\nurl = "https://a.example.com/"\naliases = [""]', "no service name"),
        ('name = "x"\nurl = "https://a.example.com/"\nhref = "y"', "unknown key 'href'. The keys are aliases, "),
    ],
)
def test_a_wrong_entry_is_refused_by_file_and_service(tmp_path: Path, table: str, problem: str) -> None:
    path = written(tmp_path, f"[[service]]\n{table}\n")
    with pytest.raises(InvalidInput, match=problem) as raised:
        Catalogue.load(path)
    assert str(path) in raised.value.detail


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[service]", "is no TOML"),
        ('[service]\nname = "x"', "single 'service'.* \\[\\[service\\]\\] table"),
        ("service = [1]", "single 'service'"),
        ('[[services]]\nname = "x"', "key 'services'"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        Catalogue.load(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"missing\.toml cannot be read"):
        Catalogue.load(tmp_path / "missing.toml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "services.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match="is no TOML"):
        Catalogue.load(path)


@pytest.mark.parametrize("second", ["Market  Data api", "PRICES"])
def test_a_name_given_twice_is_refused(second: str) -> None:
    with pytest.raises(InvalidInput, match="given twice, to 'market data API' and to"):
        Catalogue([MARKET, Service(second, "https://other.example.com/")])


def test_an_alias_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="given twice"):
        Catalogue([MARKET, dataclasses.replace(WEATHER, aliases=("Prices",))])


def test_a_service_is_checked_when_built_in_code_too() -> None:
    with pytest.raises(UnsafeDestination):
        Service("x", "file:///etc/passwd")


@pytest.mark.parametrize(
    "name",
    ["market data API", "the MARKET data api", "a market\tdata", " market  data ", "Market Data Service", "Prices"],
)
def test_a_service_is_found_by_what_people_call_it(name: str) -> None:
    assert CATALOGUE.find(name) is MARKET


@pytest.mark.parametrize(
    "name", ["", " ", "the", "API", "the api", "service", "data", "market", "market data API API x"]
)
def test_a_part_of_a_name_is_not_the_name(name: str) -> None:
    with pytest.raises(UnknownService):
        CATALOGUE.find(name)


def test_an_unknown_name_is_told_what_exists_and_what_is_near() -> None:
    with pytest.raises(
        UnknownService, match=r"Did you mean 'weather service'\? There is 'market data API' and"
    ) as raised:
        CATALOGUE.find("wether")
    assert raised.value.facts == {"services": ["market data API", "weather service"], "nearest": ["weather service"]}


def test_an_empty_catalogue_says_that_it_is_empty() -> None:
    with pytest.raises(UnknownService, match="the catalogue is empty"):
        Catalogue().find("weather")


def test_a_name_that_fits_two_services_is_ambiguous() -> None:
    other = Service("weather API", "https://other.example.com/")
    both = Catalogue([WEATHER, other])
    with pytest.raises(UnknownService, match="may be 'weather service' or 'weather API'") as raised:
        both.find("the weather")
    assert raised.value.facts == {"candidates": ["weather service", "weather API"]}
    assert both.find("weather api") is other
    assert both.find("the Weather Service") is WEATHER


def test_the_exact_name_goes_before_a_shortened_one() -> None:
    plain = Service("weather", "https://plain.example.com/")
    article = Service("the weather", "https://article.example.com/")
    three = Catalogue([WEATHER, plain, article])
    assert three.find("weather") is plain
    assert three.find("The Weather") is article
    assert three.find("a weather") is plain


def test_a_service_found_by_two_of_its_names_is_not_ambiguous() -> None:
    service = Service("weather API", "https://weather.example.com/", aliases=("weather service",))
    assert Catalogue([service]).find("weather") is service


def test_a_long_list_is_cut_short() -> None:
    many = Catalogue([Service(f"station {i}", f"https://weather.example.com/{i}") for i in range(50)])
    with pytest.raises(UnknownService, match="'station 19' and 30 more"):
        many.find("x" * 5_000)


@given(st.text())
def test_any_other_text_is_an_unknown_service(name: str) -> None:
    try:
        found = CATALOGUE.find(name)
    except UnknownService:
        return
    words = set(name.casefold().split())
    assert words >= ({"market", "data"} if found is MARKET else {"weather"}) or words >= {"prices"}


@pytest.mark.parametrize("url", ["https://w.example/%77", "https://w.example/x/../w", "https://W.example:443/w#now"])
def test_a_service_is_known_however_its_url_is_spelled(url: str) -> None:
    service = Service("w", "https://w.example/w")
    assert Catalogue([service]).at(check_url(url), "GET") == service
    assert Service("w", url) == service


@pytest.mark.parametrize(
    ("url", "method", "found"),
    [
        ("https://market.example.com/", "GET", MARKET),
        ("https://Market.Example.com:443", "GET", MARKET),
        ("https://market.example.com/", "POST", None),
        ("http://market.example.com/", "GET", None),
        ("https://market.example.com/?x=1", "GET", None),
        ("https://market.example.com/other", "GET", None),
    ],
)
def test_a_service_is_known_by_its_request(url: str, method: str, found: Service | None) -> None:
    assert CATALOGUE.at(url, method) == found


def test_one_request_is_one_service() -> None:
    with pytest.raises(InvalidInput, match="the same request"):
        Catalogue([MARKET, Service("twin", "https://MARKET.example.com", price="0.10")])
