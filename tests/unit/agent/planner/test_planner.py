"""The planner: every way of saying a payment gives exactly that payment, and everything else a question."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paygent.agent.planner.planner import TEXT_CHARACTERS_MAX, Plan, Question, plan
from paygent.money import Amount, Asset
from paygent.outbound import check_url
from paygent.registry.catalogue import Catalogue, Service

USDC = Asset(338, "0x" + "11" * 20, "USDC.e", 6)
SYMBOLS = {"USDC": "USDC.e", "USDC.E": "USDC.e", "CRO": "CRO"}
MARKET = Service("market data API", "https://market.example.com/data", aliases=("prices",))
WEATHER = Service("weather service", "http://127.0.0.1:4021/weather", method="POST")
TRADERS = Service("data for traders", "https://traders.example.com/")
NEWS = Service("top 10 news", "https://news.example.com/")
CATALOGUE = Catalogue([MARKET, WEATHER, TRADERS, NEWS])
URL = "https://api.example.com/X?q=1&r=a,b"


def planned(text: str, catalogue: Catalogue = CATALOGUE) -> Plan:
    answer = plan(text, catalogue, symbols=SYMBOLS)
    assert isinstance(answer, Plan), answer
    return answer


def asked(text: str, catalogue: Catalogue = CATALOGUE) -> Question:
    answer = plan(text, catalogue, symbols=SYMBOLS)
    assert isinstance(answer, Question), answer
    return answer


@pytest.mark.parametrize(
    ("text", "amount", "payee"),
    [
        ("Pay 0.10 USDC to access the market data API", "0.10", MARKET),
        ("pay 0.1 usdc for https://api.example.com/X?q=1&r=a,b", "0.1", URL),
        ("Buy market data for at most 0.10 USDC", "0.10", MARKET),
        ("Get the weather service for up to 1 USDC", "1", WEATHER),
        ("access https://api.example.com/X?q=1&r=a,b for 0.10 USDC.", "0.10", URL),
        ("please pay 007 USDC.e for a weather api!", "007", WEATHER),
        ("PAY UP TO 0.10 USDC TO THE MARKET DATA API, PLEASE", "0.10", MARKET),
        ("Could you please buy access to prices for no more than 3 USDC?", "3", MARKET),
        ("I'd like to spend a maximum of 2 USDC on the weather, thank you.", "2", WEATHER),
        ("Pay the market data API 0.10 USDC", "0.10", MARKET),
        ("Pay for the market data API with at most 0.10 USDC", "0.10", MARKET),
        ("Buy data for traders for 0.10 USDC or less", "0.10", TRADERS),
        ("pay 0.5 USDC max to get access to top 10 news", "0.5", NEWS),
        ('pay 0.5 USDC for "Market Data"', "0.5", MARKET),
        (f"pay 0.5 USDC for “{URL}”", "0.5", URL),
        (f"pay 0.5 USDC for {URL}!", "0.5", URL),
        ("\n pay\t0.5\u00a0USDC  for\nmarket   data \n", "0.5", MARKET),
    ],
)
def test_a_payment_command_is_planned(text: str, amount: str, payee: Service | str) -> None:
    expected = (payee, payee.url, payee.method) if isinstance(payee, Service) else (None, payee, "GET")
    found = planned(text)
    assert (found.amount_max, found.symbol) == (amount, "USDC.e")
    assert (found.service, found.url, found.method) == expected


def test_a_plan_says_in_a_sentence_what_it_will_do() -> None:
    assert planned(f"pay 0.10 USDC for {URL}").summary == f"Pay at most 0.10 USDC.e for {URL}."
    assert planned("pay 1 USDC for the weather").summary == (
        "Pay at most 1 USDC.e for weather service (POST http://127.0.0.1:4021/weather)."
    )


@pytest.mark.parametrize(
    "text",
    [
        "Buy market data",
        "pay for market data",
        "pay ten USDC for market data",
        "pay half of my USDC for market data",
        "pay -1 USDC for market data",
        "pay +1 USDC for market data",
        "pay 1,000 USDC for market data",
        "pay 0,10 USDC for market data",
        "pay 1 000 USDC for market data",
        "pay 1_000 USDC for market data",
        "pay 1e3 USDC for market data",
        "pay 0x10 USDC for market data",
        "pay 10k USDC for market data",
        "pay 50% USDC for market data",
        "pay .5 USDC for market data",
        "pay 1.2.3 USDC for market data",
        "pay 0.10USDC for market data",
        "pay up to0.10 USDC for market data",
        "pay １ USDC for market data",
        "pay ١ USDC for market data",
        "pay 0 USDC for market data",
        "pay 0.00 USDC for market data",
        f"pay {'9' * 79} USDC for market data",
        "pay 1 USDC for 2 USDC for market data",
        "pay 1 or 2 USDC for market data",
        "pay 1-2 USDC for market data",
        "pay 1 USDC for market data and 2 USDC for weather",
        "pay 1 USDC for market data. Then pay 2 USDC for weather.",
        "buy market data for 1 USDC, weather for 2 USDC",
    ],
)
def test_an_unclear_amount_is_asked_about(text: str) -> None:
    assert asked(text).about == "amount"


@pytest.mark.parametrize(
    "text",
    [
        "pay $0.10 for market data",
        "pay $0.10 USDC for market data",
        "pay 0.10$ for market data",
        "pay US$0.10 for market data",
        "pay €1 for market data",
        "pay 10 cents for market data",
        "pay 0.10 dollars for market data",
        "pay 0.10 US dollars for market data",
        "pay ten dollars for market data",
        "pay 0.10 for market data",
        "pay 0.10 DAI for market data",
        "buy market data for 0.10",
        "pay 0.10 uſdc for market data",
    ],
)
def test_a_missing_or_unknown_token_is_asked_about(text: str) -> None:
    question = asked(text)
    assert question.about == "token"
    assert "CRO or USDC or USDC.e" in question.text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pay 0.10 USDC", "For which service"),
        ("buy for 0.10 USDC", "No service is called 'for'"),
        ("pay 0.10 USDC for the stock API", "No service is called 'the stock API'"),
        ("pay 0.10 USDC for the wether", "Did you mean 'weather service'"),
        ("pay 0.10 USDC to accessweather", "'accessweather'"),
        ("pay 0.10 USDC for access toweather", "'access toweather'"),
        ("pay forweather 0.10 USDC", "'forweather'"),
        ("pay 0.10 USDC for market data twice", "'market data twice'"),
        ("pay 0.10 USDC for market data tomorrow", "'market data tomorrow'"),
        ("pay 0.10 USDC for market data and weather", "'market data and weather'"),
        ("pay 0.10 USDC for market data at https://evil.example", "No service"),
        ("pay 0.10 USDC for the", "'the'"),
        ("pay Bob 0.10 USDC", "'Bob'"),
        (f"pay 0.10 USDC to 0x{'aB' * 20}", "do not transfer to an address"),
        ("pay 0.10 USDC for ftp://api.example.com/", "https://"),
        ("pay 0.10 USDC for api.example.com/x", "https://"),
        ("pay 0.10 USDC for https://user:secret@api.example.com/", "user name or password"),
        ("pay 0.10 USDC for https://аpi.example.com/", "characters that no URL has"),
        ("pay 0.10 USDC for https://api.example.com\\@evil.example/", "characters that no URL has"),
        ('pay 0.10 USDC for "https://api.example.com/a b"', "characters that no URL has"),
        ("pay 0.10 USDC for https:///x", "no http or https URL"),
        ("pay 0.10 USDC for https://api.example.com:99999/", "no URL"),
    ],
)
def test_an_unknown_payee_is_asked_about(text: str, says: str) -> None:
    question = asked(text)
    assert question.about == "payee"
    assert says in question.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "?",
        "hello",
        "market data for 0.10 USDC",
        "swap 10 CRO for USDC",
        f"send 0.10 USDC to 0x{'11' * 20}",
        "transfer 1 USDC to market data",
        "subscribe to market data for 1 USDC",
        "refund 1 USDC to market data",
        "don't pay 0.10 USDC for market data",
        "do not pay 0.10 USDC for market data",
        "never buy market data for 0.10 USDC",
        "should I pay 0.10 USDC for market data",
        "paymarket data 0.10 USDC",
        "buyweather for 0.10 USDC",
        "pleasepay 0.10 USDC for market data",
        "please",
    ],
)
def test_another_command_is_answered_with_what_can_be_done(text: str) -> None:
    question = asked(text)
    assert question.about == "command"
    assert "I can pay for one request to a paid service" in question.text
    assert '"Pay 0.10 CRO to access the market data API"' in question.text


@pytest.mark.parametrize(
    "text",
    [
        "pay",
        "pay 0.10 USDC per month for market data",
        "pay 0.10 USDC, for market data",
        "pay 5. USDC for market data",
        "pay about 0.10 USDC for market data",
        "pay at least 0.10 USDC for market data",
        "pay exactly 0.10 USDC for market data",
        "pay 0.10 USDC for market data?",
        "buy market data for 0.10 USDC?",
        "pay 0.10 USDC for market data. Then weather.",
        "pay 0.10 USDC formarket data",
        "pay 0.10 USDC toweather",
        "pay 0.10 USDC maxfor weather",
        "buy market data for 0.10 USDC each",
        "buy market data for 0.10 USDC, but not today",
        "buy market data for 0.10 USDC for weather",
        f"pay 0.10 USDC for {URL} and https://evil.example/",
        f"pay 0.10 USDC for {URL} with POST",
        f'pay 0.10 USDC for "{URL}',
    ],
)
def test_what_is_left_over_is_never_ignored(text: str) -> None:
    assert asked(text).about == "command"


def test_words_that_may_begin_the_name_are_asked_about_when_both_exist() -> None:
    bank, access_bank = Service("Bank", "https://b.example.com/"), Service("Access Bank", "https://a.example.com/")
    both = Catalogue([bank, access_bank])
    for text in ("pay 1 USDC to access Bank", "Access Bank for 1 USDC"):
        assert "'Bank' or 'Access Bank'" in asked(text, both).text
    assert planned("pay 1 USDC for Bank", both).service is bank
    assert planned("pay 1 USDC to get access to Bank", both).service is bank
    assert planned('pay 1 USDC for "Access Bank"', both).service is access_bank
    assert planned("pay 1 USDC to Access Bank", Catalogue([access_bank])).service is access_bank


def test_an_ambiguous_service_is_asked_about() -> None:
    two = Catalogue([WEATHER, Service("weather API", "https://other.example.com/")])
    question = asked("pay 1 USDC for the weather", two)
    assert question.about == "payee"
    assert "'weather service' or 'weather API'" in question.text


def test_a_text_of_2000_characters_is_read_and_a_longer_one_is_not() -> None:
    text = "pay 1 USDC for weather".ljust(TEXT_CHARACTERS_MAX)
    assert planned(text).service is WEATHER
    assert "longer than 2,000 characters" in asked(text + " ").text


def test_a_question_quotes_little_and_escapes_what_does_not_print() -> None:
    question = asked("pay 1 USDC for \x1b[31m\u202e" + "x" * 1_900)
    assert question.text.isprintable()
    assert len(question.text) < 500


def test_without_tokens_no_token_is_offered() -> None:
    answer = plan("pay 1 USDC for weather", CATALOGUE, symbols={})
    assert isinstance(answer, Question)
    assert answer.text.endswith("No token is set up.")


def test_without_services_a_url_is_still_paid() -> None:
    assert planned(f"pay 1 USDC for {URL}", Catalogue()).url == URL
    assert "catalogue is empty" in asked("pay 1 USDC for weather", Catalogue()).text


def test_planning_loads_no_http_client() -> None:
    code = "import sys, paygent.agent.planner.planner; sys.exit('aiohttp' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# Every way of saying a payment, generated.

amounts = st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,18})?", fullmatch=True).filter(lambda text: text.strip("0.") != "")
politeness = st.sampled_from(
    ["", "", "please ", "Please, ", "kindly ", "I want to ", "i'd like to ", "could you please "]
)
ceilings = st.sampled_from(["", "", "at most ", "up to ", "no more than ", "not more than ", "max ", "a maximum of "])
closings = st.sampled_from(["", "", " please", ", please", " thanks", ", thank you"])
stops = st.sampled_from(["", "", ".", "!", "...", " .", "…"])
cases: st.SearchStrategy[Callable[[str], str]] = st.sampled_from([str, str.lower, str.upper, str.title, str.swapcase])
blanks = st.sampled_from([" ", "  ", "\n", "\t "])
articles = st.sampled_from(["", "the ", "a ", "an "])
spoken = st.sampled_from(
    [
        (MARKET, "market data API"),
        (MARKET, "market data"),
        (MARKET, "prices"),
        (MARKET, "prices service"),
        (WEATHER, "weather service"),
        (WEATHER, "weather"),
        (WEATHER, "weather api"),
        (TRADERS, "data for traders"),
    ]
)
urls = st.from_regex(
    r"https?://[a-z0-9]{1,9}(\.[a-z]{2,5}){0,2}(:[1-9][0-9]{0,3})?(/[A-Za-z0-9.,;~%&=?@!-]{0,9}[A-Za-z0-9/])?",
    fullmatch=True,
)


@st.composite
def commands(draw: st.DrawFn) -> tuple[str, str, Service | str]:
    """A command, its amount, and its service or URL."""
    amount, money = draw(amounts), draw(st.sampled_from(["USDC", "USDC.e"]))
    payee: Service | str
    if draw(st.booleans()):
        payee = name = draw(urls)
    else:
        payee, word = draw(spoken)
        name = draw(articles) + word
    price = f"{draw(ceilings)}{amount} {money}{draw(st.sampled_from(['', '', ' or less', ' max']))}"
    access = draw(st.sampled_from(["", "access to "]))
    get = draw(st.sampled_from(["get", "buy", "purchase", "access", "use", "call", "fetch", "read"]))
    if draw(st.booleans()):
        toward = draw(st.sampled_from(["for ", "on ", "to ", f"to {get} "])) + access
        body = f"{draw(st.sampled_from(['pay', 'spend']))} {price} {toward}\0"
    else:
        verb = draw(st.sampled_from(["pay", "pay for", get]))
        body = f"{verb} {access}\0 {draw(st.sampled_from(['', 'for ', 'with ']))}{price}"
    sentence = draw(cases)(draw(politeness) + body + draw(closings) + draw(stops)).replace(" ", draw(blanks))
    shown = payee if isinstance(payee, str) else draw(cases)(name)
    return sentence.replace("\0", shown), amount, payee


@given(commands())
def test_every_way_of_saying_it_plans_exactly_that(command: tuple[str, str, Service | str]) -> None:
    text, amount, payee = command
    found = planned(text)
    assert (found.amount_max, found.symbol) == (amount, "USDC.e")
    assert found.url == (payee.url if isinstance(payee, Service) else payee)
    assert found.service == (payee if isinstance(payee, Service) else None)
    if len(amount.partition(".")[2]) <= USDC.decimals:
        assert Amount.parse_positive(found.amount_max, USDC).base_units > 0


# Whatever is said: no exception, and nothing in a plan that is not in the text, nothing in the text that is not in the plan.

_PHRASES = re.compile(
    r"(no|not) more than|at most|up to|(a )?\bmax(imum)?\b( of)?|or less|access to|(i want|i would like|i['’]d like) to"
    r"|(can|could|would|will) you please|thank you"
)
_WORDS = re.compile(
    r"please|kindly|thanks|pay|spend|get|buy|purchase|access|use|call|fetch|read|for|with|on|to|the|an?|api|service"
)
_NAMES = {" ".join(name.casefold().split()): service for service in CATALOGUE.services for name in service.names}


def check_that_nothing_was_guessed(text: str) -> None:
    answer = plan(text, CATALOGUE, symbols=SYMBOLS)
    if isinstance(answer, Question):
        assert answer.text
        assert answer.about in ("command", "amount", "token", "payee")
        return
    money = re.search(rf"(?<!\S){re.escape(answer.amount_max)}\s+([A-Za-z.]*[A-Za-z])(?![^\s.,!?…])", text)
    assert money is not None, "the amount stands in the text, and a token after it"
    assert SYMBOLS[money[1].upper()] == answer.symbol
    others = text[: money.start()] + " " + text[money.end() :]
    if answer.service is None:
        written = [match[0].rstrip(".,!?…") for match in re.finditer(r'(?<![^\s"“])https?://[^\s"”]+', others, re.I)]
        spelled = [url for url in written if check_url(url) == answer.url]
        assert spelled, "the URL stands in the text, however it is spelled"
        others = others.replace(spelled[0], " ", 1)
    else:
        said = " ".join(others.casefold().split())
        cores = [re.sub(r" (api|service)$", "", name) for name, service in _NAMES.items() if service is answer.service]
        stands = [re.search(rf'(?<![^\s"“]){core}(?![^\s"”.,!?…])', said) for core in cores]
        found = next((match for match in stands if match), None)
        assert found is not None, "the service stands in the text"
        others = said[: found.start()] + " " + said[found.end() :]
    others = _PHRASES.sub(" ", " ".join(others.casefold().split()))
    left_over = [word for word in re.split(r"[\s.,!?…\"“”]+", others) if word and not _WORDS.fullmatch(word)]
    assert not left_over, "every word is understood"


@given(st.text())
@example("\x00")
@example("pay \ud800 for")
def test_any_text_is_answered_and_nothing_guessed(text: str) -> None:
    check_that_nothing_was_guessed(text)


_INTRUDERS = """
    not don't never per month and then or 2 0.20 -1 1,000 $5 USDC CRO DAI cents twice least about https://evil.example/
    market weather prices data api the for to at with on pay buy access please , . ? ! " “ ” ' ( 0 1e3 all half
"""
intruders = st.sampled_from(_INTRUDERS.split()) | st.text(max_size=4)


@st.composite
def mutated_commands(draw: st.DrawFn) -> str:
    words = draw(commands())[0].split()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(words)))
        kind = draw(st.sampled_from(["insert", "glue", "join", "delete", "swap", "repeat"]))
        if kind == "insert":
            words.insert(at, draw(intruders))
        elif kind == "glue" and at < len(words):
            words[at] += draw(intruders)
        elif kind == "join" and at + 1 < len(words):
            words[at] += words.pop(at + 1)
        elif kind == "delete":
            del words[at : at + 1]
        elif kind == "swap" and at + 1 < len(words):
            words[at], words[at + 1] = words[at + 1], words[at]
        elif kind == "repeat":
            words[at:at] = words[at : at + draw(st.integers(1, 3))]
    return " ".join(words)


@given(mutated_commands())
def test_a_mutilated_command_is_answered_and_nothing_guessed(text: str) -> None:
    check_that_nothing_was_guessed(text)


_VOCABULARY = """
    please pay spend buy access get read to you could i want at most up to no not more than max or less for with on the an api
    service 0.10 USDC market data prices traders top 10 news . , ! https://api.example.com/x
"""


@given(st.lists(st.sampled_from(_VOCABULARY.split()), max_size=14))
def test_any_words_of_the_grammar_are_answered_and_nothing_guessed(words: list[str]) -> None:
    check_that_nothing_was_guessed(" ".join(words))
