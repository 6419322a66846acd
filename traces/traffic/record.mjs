// Records the HAR files of this folder: Chromium asks httpbin what the scenarios below say, Playwright saves it.
//
//   pip install httpbin; npm install --no-save playwright-core; apt-get install chromium openssl
//   node traces/traffic/record.mjs [NAME…]        PYTHON=…  CHROMIUM=/usr/bin/chromium
//
// One scenario per sample. Requests go out one after another from a page of httpbin itself, so that headers, HTTP
// versions and bodies are a browser's. `over: "https"` puts an HTTP/2 front before httpbin, which speaks HTTP/1.1.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
const ALLOWED = { allow: "true" };
const JSON_BODY = { "content-type": "application/json" };
const FORM_BODY = { "content-type": "application/x-www-form-urlencoded" };
const TOKEN = { authorization: "Bearer let-me-in" };

// A request is [method, path, headers, body]; a number is a pause in milliseconds; {go} opens a page.
const SCENARIOS = {
  allow_header: [
    ["GET", "/status/418"],
    ["GET", "/status/418", ALLOWED],
    ["GET", "/status/418", { allow: "false" }],
    ["GET", "/get?who=ann&who=bob", ALLOWED],
    ["POST", "/post", { ...ALLOWED, ...JSON_BODY }, '{"user": "ann", "city": "Łódź"}'],
  ],
  allow_header_go: { over: "https", requests: [
    ["GET", "/status/418"],
    ["GET", "/status/418", ALLOWED],
    ["HEAD", "/get", ALLOWED],
    ["PUT", "/put", { ...ALLOWED, ...FORM_BODY }, "user=ann&city=%C5%81%C3%B3d%C5%BA"],
    ["GET", "/gzip", ALLOWED],
  ] },
  allow_header_as: [
    { go: "/status/418" },
    ["GET", "/status/418", ALLOWED],
    ["GET", "/status/418", { allow: "TRUE" }],
    ["DELETE", "/delete?id=7", ALLOWED],
    ["POST", "/post", FORM_BODY, "user=ann"],
  ],
  allow_header_c: [
    ["GET", "/headers"],
    ["GET", "/headers", ALLOWED],
    ["GET", "/headers", { allow: "" }],
    ["GET", "/headers", { allow: "true, true" }],
    ["PATCH", "/patch", ALLOWED, "one line\nanother line\n"],
  ],
  service_name: [
    { go: "/get" },
    ["GET", "/get?verbose=1"],
    ["POST", "/post", JSON_BODY, '{"hello": "wasm"}'],
    ["HEAD", "/get"],
  ],
  response_body: [
    ["GET", "/stream/3?word=secret"],
    ["GET", "/get?word=nothing"],
    ["POST", "/post", {}, "the secret of the secret garden"],
    ["GET", "/drip?numbytes=6&duration=1&delay=0"],
    ["GET", "/gzip"],
    ["GET", "/bytes/48?seed=7"],
    ["GET", "/status/204"],
  ],
  config_loading: [{ go: "/html" }, ["GET", "/json"], ["GET", "/status/500"]],
  http_auth: [
    ["GET", "/get", TOKEN],
    ["GET", "/get"],
    ["POST", "/post", { ...TOKEN, ...JSON_BODY }, '{"amount": 12.5}'],
  ],
  grpc_auth: { over: "https", requests: [
    ["GET", "/bearer", TOKEN],
    ["GET", "/bearer"],
    ["POST", "/post", { ...TOKEN, ...FORM_BODY }, "amount=12.5"],
  ] },
  rate_limit: [
    ["GET", "/uuid"], ["GET", "/uuid"], ["GET", "/uuid"], ["GET", "/uuid"], ["GET", "/uuid"],
    1200,
    ["GET", "/uuid"], ["GET", "/uuid"],
  ],
};

const HTTPBIN = `
from httpbin import app
from werkzeug.serving import WSGIRequestHandler, run_simple
WSGIRequestHandler.protocol_version = "HTTP/1.1"
run_simple("127.0.0.1", 8000, app, threaded=True)
`;

function certificate(folder) {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
    "-days", "2", "-subj", "/CN=httpbin", "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

// HTTP/2 outside, HTTP/1.1 inside: what a gateway does.
function front(credentials) {
  const server = http2.createSecureServer(credentials, (asked, answer) => {
    const headers = Object.fromEntries(Object.entries(asked.headers).filter(([name]) => !name.startsWith(":")));
    const options = { port: 8000, method: asked.method, path: asked.url, headers: { ...headers, host: asked.authority } };
    asked.pipe(http.request(options, (found) => {
      const { connection, "keep-alive": _, "transfer-encoding": __, ...kept } = found.headers;
      answer.writeHead(found.statusCode, kept);
      found.pipe(answer);
    }));
  });
  return new Promise((ready) => server.listen(8443, "127.0.0.1", () => ready(server)));
}

async function record(browser, name, origin, requests) {
  const path = join(HERE, `${name}.har`);
  const recordHar = { path, content: "embed", urlFilter: /^(?!.*(robots\.txt|favicon\.ico))/ };
  const context = await browser.newContext({ ignoreHTTPSErrors: true, recordHar });
  const page = await context.newPage();
  await page.goto(`${origin}/robots.txt`); // a page to ask from
  for (const step of requests) {
    if (typeof step === "number") await sleep(step);
    else if (step.go) await page.goto(origin + step.go);
    else await page.evaluate(ask, step);
  }
  await context.close();
  console.log(`${name}.har: ${readFileSync(path).length} bytes`);
}

// Runs in the page.
const ask = async ([method, path, headers, body]) => {
  const answer = await fetch(path, { method, headers, body, cache: "no-store" });
  await answer.arrayBuffer();
};

async function listening(port) {
  for (let tries = 0; tries < 100; tries++) {
    if (await fetch(`http://127.0.0.1:${port}/status/204`).then(() => true, () => false)) return;
    await sleep(100);
  }
  throw new Error("httpbin did not start: is it installed for the Python of PYTHON=?");
}

const folder = mkdtempSync(join(tmpdir(), "record-"));
const httpbin = spawn(process.env.PYTHON ?? "python3", ["-c", HTTPBIN], { stdio: "ignore" });
let browser, secure;
try {
  await listening(8000);
  secure = await front(certificate(folder));
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP httpbin 127.0.0.1"],
  });
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SCENARIOS);
  for (const name of names) {
    const { over = "http", requests = SCENARIOS[name] } = SCENARIOS[name];
    await record(browser, name, over === "https" ? "https://httpbin:8443" : "http://httpbin:8000", requests);
  }
} finally {
  await browser?.close();
  secure?.close();
  httpbin.kill();
  rmSync(folder, { recursive: true });
}
