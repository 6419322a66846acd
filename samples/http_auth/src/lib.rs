//! Asks an auth service about every request, over HTTP, and lets pass what it answers with 200.
//!
//! The plugin configuration names the cluster of the service: `{"cluster": "auth"}`, which is also the default.

use log::{error, info, warn};
use proxy_wasm::traits::*;
use proxy_wasm::types::*;
use serde::Deserialize;
use std::rc::Rc;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(1);

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(HttpAuthRoot::default()) });
}}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    cluster: String,
}

impl Default for Config {
    fn default() -> Self {
        Config { cluster: "auth".to_string() }
    }
}

#[derive(Default)]
struct HttpAuthRoot {
    config: Rc<Config>,
}

impl Context for HttpAuthRoot {}

impl RootContext for HttpAuthRoot {
    fn on_configure(&mut self, _plugin_configuration_size: usize) -> bool {
        // Without a configuration the defaults hold.
        if let Some(configuration) = self.get_plugin_configuration() {
            match serde_json::from_slice(&configuration) {
                Ok(config) => self.config = Rc::new(config),
                Err(reason) => {
                    error!("invalid configuration: {}", reason);
                    return false;
                }
            }
        }
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(HttpAuth { config: Rc::clone(&self.config) }))
    }
}

struct HttpAuth {
    config: Rc<Config>,
}

impl HttpContext for HttpAuth {
    fn on_http_request_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        let cluster = self.config.cluster.as_str();
        let authorization = self.get_http_request_header("authorization");
        let mut headers = vec![(":method", "GET"), (":path", "/check"), (":authority", cluster)];
        if let Some(authorization) = &authorization {
            headers.push(("authorization", authorization));
        }

        if let Err(status) = self.dispatch_http_call(cluster, headers, None, vec![], TIMEOUT) {
            error!("cannot ask {}: {:?}", cluster, status);
            self.send_http_response(503, vec![], Some(b"No auth service\n"));
        }
        Action::Pause // until the answer is there, or for good when there is nobody to ask
    }
}

impl Context for HttpAuth {
    fn on_http_call_response(
        &mut self,
        _token_id: u32,
        num_headers: usize,
        _body_size: usize,
        _num_trailers: usize,
    ) {
        // A failed call (reset, timeout, no connection) is reported as an answer without headers, and then there is no
        // header map either: asking for ":status" would be an error.
        if num_headers == 0 {
            warn!("{} did not answer", self.config.cluster);
            self.forbid();
            return;
        }

        let status = self.get_http_call_response_header(":status").unwrap_or_default();
        info!("{} answered {}", self.config.cluster, status);
        if status == "200" {
            self.resume_http_request();
        } else {
            self.forbid();
        }
    }
}

impl HttpAuth {
    fn forbid(&self) {
        self.send_http_response(403, vec![], Some(b"Forbidden\n"));
    }
}
