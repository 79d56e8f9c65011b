// Buys one URL with the official JavaScript client and prints what it got.
import { wrapFetchWithPaymentFromConfig, decodePaymentResponseHeader } from "@x402/fetch";
import { ExactEvmScheme } from "@x402/evm";
import { privateKeyToAccount } from "viem/accounts";

const [url, key, asset] = process.argv.slice(2);
const account = privateKeyToAccount(key.startsWith("0x") ? key : `0x${key}`);
const pay = wrapFetchWithPaymentFromConfig(fetch, {
  schemes: [{ network: "eip155:338", client: new ExactEvmScheme(account) }],
  spendControls: { allowedAssets: [{ network: "eip155:338", asset }] },
});
const response = await pay(url);
const receipt = response.headers.get("payment-response");
console.log(
  JSON.stringify({
    status: response.status,
    body: await response.json(),
    receipt: receipt && decodePaymentResponseHeader(receipt),
  }),
);
