// Lets a request pass only when it carries the header `allow: true`; answers 403 otherwise.
package main

import (
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// A plugin is a library: the host runs init and then the callbacks, never main.
func main() {}

func init() {
	proxywasm.SetHttpContext(func(contextID uint32) types.HttpContext {
		return &httpHeaders{contextID: contextID}
	})
}

// httpHeaders is made once per request.
type httpHeaders struct {
	types.DefaultHttpContext
	contextID uint32
}

func (c *httpHeaders) OnHttpRequestHeaders(int, bool) types.Action {
	proxywasm.LogInfof("#%d wasm-go: on_http_request_headers", c.contextID)

	// A missing header is an error here, and leaves the value empty.
	if allow, _ := proxywasm.GetHttpRequestHeader("allow"); allow == "true" {
		return types.ActionContinue
	}
	proxywasm.LogInfof("#%d wasm-go: allow header not found or is not true, deny by default", c.contextID)
	headers := [][2]string{{"Content-Type", "text/plain"}}
	body := []byte("Forbidden by ASM Wasm Plugin, go version\n")
	const notGRPC = -1
	if err := proxywasm.SendHttpResponse(403, headers, body, notGRPC); err != nil {
		proxywasm.LogErrorf("#%d wasm-go: cannot answer: %v", c.contextID, err)
	}
	return types.ActionPause
}
