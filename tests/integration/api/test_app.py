"""The API: nothing that spends without a key, problems that say what to do, one payment a key."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import httpx
import pytest

from paygent.api import keys
from paygent.api.app import create_app
from paygent.bootstrap import Paygent
from paygent.evm.networks import devnet
from paygent.registry.catalogue import Catalogue, Service
from paygent.settings import Settings
from tests.support.buying import Buyer, Seller


@pytest.fixture
async def paygent(buyer: Buyer, seller: Seller) -> Paygent:
    catalogue = Catalogue([Service(name="market data API", url=seller.url + "/data")])
    return Paygent(
        Settings(_env_file=None),
        devnet(),
        buyer.database,
        buyer.pocket.token.rpc,
        buyer.pocket,
        buyer.engine,
        catalogue,
        buyer.session_id,
    )


@pytest.fixture
async def anonymous(paygent: Paygent) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(paygent))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        yield client


@pytest.fixture
async def client(anonymous: httpx.AsyncClient, paygent: Paygent) -> httpx.AsyncClient:
    key = keys.new_key()
    async with paygent.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO api_keys (digest, name) VALUES (%s, %s)", (keys._digest(key), secrets.token_hex(4))
        )
    anonymous.headers["authorization"] = f"Bearer {key}"
    return anonymous


async def test_every_route_but_health_and_documentation_wants_a_key(anonymous: httpx.AsyncClient) -> None:
    document = (await anonymous.get("/openapi.json")).json()
    checked = 0
    for path, methods in document["paths"].items():
        for method in methods:
            answer = await anonymous.request(method, path.replace("{intent_id}", "int_x"), json={})
            if path == "/health":
                assert answer.status_code == 200
                continue
            checked += 1
            assert answer.status_code == 401, (method, path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"
    assert checked >= 6
    wrong = await anonymous.get("/v1/wallet", headers={"authorization": "Bearer paygent_wrong"})
    assert wrong.status_code == 401


async def test_documentation_needs_no_other_server(anonymous: httpx.AsyncClient) -> None:
    for path in ("/docs", "/redoc"):
        page = (await anonymous.get(path)).text
        assert "cdn." not in page
        assert "fonts.googleapis" not in page


async def test_the_first_key_is_shown_once_and_stored_as_a_digest(paygent: Paygent) -> None:
    async with paygent.database.transaction() as connection:
        await connection.execute("DELETE FROM api_keys")
        key = await keys.ensure_first_key(connection)
        assert key is not None
        assert await keys.ensure_first_key(connection) is None
        assert await keys.is_known(connection, key)
        assert not await keys.is_known(connection, key[:-1])
        cursor = await connection.execute("SELECT * FROM api_keys")
        assert key not in repr(await cursor.fetchall())


async def test_a_new_key_takes_the_place_of_all_others(paygent: Paygent) -> None:
    async with paygent.database.transaction() as connection:
        lost = await keys.replace(connection)
        key = await keys.replace(connection)
        assert await keys.is_known(connection, key)
        assert not await keys.is_known(connection, lost)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/health", 405, "method_not_allowed"),
        ("GET", "/v1/intents/int_nope", 404, "not_found"),
        ("GET", "/v1/intents/%00", 404, "not_found"),
        ("GET", "/v1/intents/int_" + "0" * 24 + "/history", 404, "not_found"),
    ],
)
async def test_every_error_is_a_problem(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_error_of_ours_tells_nothing_of_our_insides(paygent: Paygent, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr(keys, "is_known", broken)
    transport = httpx.ASGITransport(create_app(paygent), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        answer = await client.get("/v1/wallet", headers={"authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["code"]) == (500, "paygent_error")
    assert "hunter2" not in answer.text


async def test_what_the_catalogue_knows_of_a_seller_holds_for_its_url_too(
    client: httpx.AsyncClient, paygent: Paygent, buyer: Buyer, seller: Seller
) -> None:
    known = Service(name="market data API", url=seller.url + "/data", price="0.00009")
    object.__setattr__(paygent, "catalogue", Catalogue([known]))
    for path, body in (
        ("/v1/payments", {"url": seller.url + "/data"}),
        ("/v1/payments", {"url": seller.url + "/%64ata"}),
        ("/v1/payments", {"url": seller.url + "/x/../data#now"}),
        ("/v1/ask", {"text": f"Buy {seller.url}/./dat%61 for at most 0.0001 USDC"}),
        ("/v1/ask", {"text": f"Buy {seller.url}/data for at most 0.0001 USDC"}),
    ):
        answer = await client.post(path, json=body, headers={"idempotency-key": secrets.token_hex(8)})
        assert answer.status_code == 409, answer.text
        assert "the catalogue says that it asks 0.00009" in answer.json()["reason"]["detail"]
    assert (await buyer.balances())[0] == 1_000


async def test_a_payment_and_its_replay(client: httpx.AsyncClient, buyer: Buyer, seller: Seller) -> None:
    body = {"url": seller.url + "/data", "amount_max": "0.0001"}
    head = {"idempotency-key": secrets.token_hex(8)}
    first = await client.post("/v1/payments", json=body, headers=head)
    again = await client.post("/v1/payments", json=body, headers=head)
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    assert first.json()["answer"]["text"] == '{"data":"bought"}'
    other = await client.post("/v1/payments", json={**body, "amount_max": "0.00015"}, headers=head)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (await buyer.balances())[0] == 900
    listed = (await client.get("/v1/intents")).json()
    assert listed[0]["id"] == first.json()["id"]
    assert listed[0]["answer"] is None
    history = (await client.get(f"/v1/intents/{first.json()['id']}/history")).json()
    assert [event["to_state"] for event in history][-1] == "settled"


async def test_asking_in_words(client: httpx.AsyncClient, buyer: Buyer) -> None:
    body = {"text": "Pay 0.0001 USDC to access the market data API"}
    plan = await client.post("/v1/ask", json={**body, "dry_run": True})
    assert plan.json()["allowed"] is True, plan.text
    assert (await buyer.balances())[0] == 1_000
    done = await client.post("/v1/ask", json=body, headers={"idempotency-key": secrets.token_hex(8)})
    assert done.json()["state"] == "settled", done.text
    unclear = await client.post("/v1/ask", json={"text": "Pay for the market data API"})
    assert unclear.status_code == 422
    assert (unclear.json()["code"], unclear.json()["facts"]) == ("unclear", {"about": "amount"})


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount_max": "0"}, 400, "invalid_amount"),
        ({"amount_max": "-1"}, 400, "invalid_amount"),
        ({"amount_max": "0.0000001"}, 400, "invalid_amount"),
        ({"amount_max": "lots"}, 400, "invalid_amount"),
        ({"amount_max": "0.000099"}, 403, "policy_denied"),
        ({"url": "ftp://host/x"}, 400, "unsafe_destination"),
        ({"url": "http://10.0.0.1/x"}, 400, "unsafe_destination"),
        ({"url": "http://169.254.169.254/latest"}, 400, "unsafe_destination"),
        ({"session": "another"}, 400, "invalid_input"),
        ({"method": "TRACE"}, 400, "invalid_input"),
        ({"headers": {"Payment-Signature": "x"}}, 400, "invalid_input"),
        ({"unknown": 1}, 400, "invalid_input"),
    ],
)
async def test_bad_input_is_told(
    client: httpx.AsyncClient,
    buyer: Buyer,
    seller: Seller,
    change: dict,
    status: int,
    code: str,
) -> None:
    body = {"url": seller.url + "/data", **change}
    answer = await client.post("/v1/payments", json=body, headers={"idempotency-key": secrets.token_hex(8)})
    found = answer.json()
    assert (answer.status_code, (found.get("reason") or found)["code"]) == (status, code), answer.text
    assert (await buyer.balances())[0] == 1_000
    assert await buyer.budget_left() == 500


async def test_a_payment_without_a_key_of_its_own_is_refused(client: httpx.AsyncClient, seller: Seller) -> None:
    answer = await client.post("/v1/payments", json={"url": seller.url + "/data"})
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]


async def test_the_wallet_is_shown(client: httpx.AsyncClient, buyer: Buyer) -> None:
    wallet = (await client.get("/v1/wallet")).json()
    assert wallet["on_chain"]["base_units"] == wallet["ledger"]["base_units"] == "1000"
    assert wallet["address"].lower() == buyer.pocket.signer.address
