//! Answers every request itself, with an `x-service-name` header. The upstream is never asked.

use log::info;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(ServiceNameRoot) });
}}

struct ServiceNameRoot;

impl Context for ServiceNameRoot {}

impl RootContext for ServiceNameRoot {
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(ServiceName))
    }
}

struct ServiceName;

impl Context for ServiceName {}

impl HttpContext for ServiceName {
    fn on_http_request_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        // HTTP/1's "Host" and HTTP/2's ":authority" both arrive as the pseudo header ":authority".
        let host = self.get_http_request_header(":authority").unwrap_or_default();
        let path = self.get_http_request_header(":path").unwrap_or_default();
        info!("Received request for: {} {}", host, path);

        self.send_http_response(
            200,
            vec![("x-service-name", "my-custom-service")],
            Some(b"Hello from Wasm!\n"),
        );
        // The response is on its way; hold the request back so that no upstream sees it.
        Action::Pause
    }
}
