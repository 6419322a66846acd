//! Replaces every `secret` in a response body by `[redacted]`.
//!
//! A body arrives in chunks, and the word may be cut in two by them. So the chunks are held back until the last one is
//! there, and the whole body is rewritten at once. Compressed bodies pass unchanged.

use log::info;
use proxy_wasm::traits::*;
use proxy_wasm::types::*;

const WORD: &[u8] = b"secret";
const REPLACEMENT: &[u8] = b"[redacted]";

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(ResponseBodyRoot) });
}}

struct ResponseBodyRoot;

impl Context for ResponseBodyRoot {}

impl RootContext for ResponseBodyRoot {
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(ResponseBody))
    }
}

struct ResponseBody;

impl Context for ResponseBody {}

impl HttpContext for ResponseBody {
    fn on_http_response_headers(&mut self, _num_headers: usize, end_of_stream: bool) -> Action {
        if !end_of_stream {
            // The length is about to change and the headers leave before the body does.
            self.set_http_response_header("content-length", None);
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, body_size: usize, end_of_stream: bool) -> Action {
        if !end_of_stream {
            return Action::Pause; // the host keeps the chunk and calls again with the next one added
        }
        self.redact(body_size);
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _num_trailers: usize) -> Action {
        // With trailers no chunk is the last one: the body is complete only now.
        self.redact(usize::MAX);
        Action::Continue
    }
}

impl ResponseBody {
    fn redact(&self, body_size: usize) {
        if let Some(body) = self.get_http_response_body(0, body_size) {
            let (redacted, count) = replace(&body, WORD, REPLACEMENT);
            if count > 0 {
                info!("redacted {} words in {} bytes", count, body.len());
                self.set_http_response_body(0, body.len(), &redacted);
            }
        }
    }
}

/// `body` with every `word` replaced, and how many there were. Bytes, not text: a body need not be UTF-8.
fn replace(body: &[u8], word: &[u8], replacement: &[u8]) -> (Vec<u8>, usize) {
    let mut replaced = Vec::with_capacity(body.len());
    let mut count = 0;
    let mut rest = body;
    while let Some((&first, tail)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(word) {
            replaced.extend_from_slice(replacement);
            count += 1;
            rest = after;
        } else {
            replaced.push(first);
            rest = tail;
        }
    }
    (replaced, count)
}
