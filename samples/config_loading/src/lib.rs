//! Adds one header to every response. Which one, the plugin configuration says:
//!
//! ```json
//! {"header": "x-powered-by", "value": "simwasm"}
//! ```

use log::{error, info};
use proxy_wasm::traits::*;
use proxy_wasm::types::*;
use serde::Deserialize;
use std::rc::Rc;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(ConfigLoadingRoot::default()) });
}}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    header: String,
    value: String,
}

#[derive(Default)]
struct ConfigLoadingRoot {
    // Shared with the streams: a later configuration does not change the requests already under way.
    config: Rc<Config>,
}

impl Context for ConfigLoadingRoot {}

impl RootContext for ConfigLoadingRoot {
    fn on_vm_start(&mut self, _vm_configuration_size: usize) -> bool {
        let configuration = self.get_vm_configuration().unwrap_or_default();
        info!("VM configuration: {}", String::from_utf8_lossy(&configuration));
        true
    }

    fn on_configure(&mut self, _plugin_configuration_size: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        match serde_json::from_slice::<Config>(&configuration) {
            Ok(config) => {
                info!("adding {}: {} to every response", config.header, config.value);
                self.config = Rc::new(config);
                true
            }
            Err(reason) => {
                error!("invalid configuration: {}", reason);
                false // the host will not start this plugin
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(ConfigLoading { config: Rc::clone(&self.config) }))
    }
}

struct ConfigLoading {
    config: Rc<Config>,
}

impl Context for ConfigLoading {}

impl HttpContext for ConfigLoading {
    fn on_http_response_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        self.add_http_response_header(&self.config.header, &self.config.value);
        Action::Continue
    }
}
