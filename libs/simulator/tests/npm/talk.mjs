// A client that was written against Meta talks with the simulator; what came of it goes to stdout as JSON.
// argv: address, access token, phone number id, account id, the customer's phone, a message they wrote.

import { WhatsAppClient, buildTemplateSendPayload } from "@kapso/whatsapp-cloud-api";

const [baseUrl, accessToken, phoneNumberId, businessAccountId, to, messageId] = process.argv.slice(2);
const client = new WhatsAppClient({ accessToken, baseUrl, graphVersion: "v25.0" });
const from = { phoneNumberId, to };
const png = new Blob([new Uint8Array([0x89, 0x50, 0x4e, 0x47, 1, 2, 3, 4])], { type: "image/png" });

const sent = [];
async function send(kind, input) {
  const answer = await client.messages[`send${kind}`]({ ...from, ...input });
  sent.push(answer.messages[0].id);
}

await send("Text", { body: "Hello from npm" });
const template = buildTemplateSendPayload({
  name: "spring_sale",
  language: "en",
  body: [{ type: "text", text: "shoes" }],
});
await send("Template", { template });

const media = await client.media.upload({ phoneNumberId, type: "image", file: png, fileName: "a.png" });
const described = await client.media.get({ mediaId: media.id });
const bytes = await (await client.fetch(described.url)).arrayBuffer();
await send("Image", { image: { id: media.id, caption: "see" } });

const buttons = [{ id: "yes", title: "Yes" }, { id: "no", title: "No" }];
await send("InteractiveButtons", { bodyText: "Which?", buttons });
const rows = [{ id: "s", title: "Small" }];
await send("InteractiveList", { bodyText: "Which?", buttonText: "Choose", sections: [{ title: "Sizes", rows }] });
const parameters = { displayText: "Track", url: "https://shop.example/a" };
await send("InteractiveCtaUrl", { bodyText: "Track it", parameters });
await send("Reaction", { reaction: { messageId, emoji: "👍" } });
const read = await client.messages.markRead({ phoneNumberId, messageId });
const templates = await client.templates.list({ businessAccountId, limit: 10 });

let refused = null;
try {
  await send("Template", { template: { ...template, name: "nothing" } });
} catch (error) {
  refused = error.code ?? error.error?.code ?? String(error);
}

const listed = templates.data.map((one) => one.name);
console.log(JSON.stringify({ sent, listed, read: read.success, size: bytes.byteLength, refused }));
