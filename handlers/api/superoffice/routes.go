package superoffice

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// methods are the operations at one address.
type methods map[string]operation

// find is the whole list of addresses.
func (s *API) find(c *call) (operation, error) {
	path := parts(c.request.URL.Path)
	var known methods
	switch {
	case len(path) >= 1 && strings.EqualFold(path[0], "Webhook"):
		known = s.rest(c, path[1:])
	case len(path) == 3 && strings.EqualFold(path[0], "Agents") && strings.EqualFold(path[1], "Webhook"):
		known = s.rpc(path[2])
	}
	if known == nil {
		return nil, &failure{status: http.StatusNotFound, message: "There is no page at this address."}
	}
	method := c.request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if do, ok := known[method]; ok {
		return do, nil
	}
	allow := strings.Join(slices.Sorted(maps.Keys(known)), ", ")
	return nil, &failure{
		status: http.StatusMethodNotAllowed, allow: allow,
		message: "This address accepts only " + allow + ".",
	}
}

// rest finds the operations below Webhook.
func (s *API) rest(c *call, path []string) methods {
	switch len(path) {
	case 0:
		return methods{http.MethodGet: s.list, http.MethodPost: s.create}
	case 1:
		switch strings.ToLower(path[0]) {
		case "default":
			return methods{http.MethodGet: s.blank}
		case "test":
			return methods{http.MethodPost: s.test}
		}
		c.id = path[0]
		return methods{
			http.MethodGet: s.get, http.MethodPut: s.replace, http.MethodPatch: s.change, http.MethodDelete: s.remove,
		}
	case 2:
		c.id, c.event, c.key = path[0], path[0], path[1]
		if strings.EqualFold(path[1], "LastError") {
			return methods{http.MethodGet: s.lastError}
		}
		return methods{http.MethodPost: s.signal}
	}
	return nil
}

// rpc finds the operation below Agents/Webhook.
func (s *API) rpc(name string) methods {
	var do operation
	switch strings.ToLower(name) {
	case "createdefaultwebhook":
		do = s.blank
	case "savewebhook":
		do = s.save
	case "deletewebhook":
		do = s.byQuery(s.remove)
	case "getwebhook":
		do = s.byQuery(s.get)
	case "getallwebhooks":
		do = s.getAll
	case "testwebhook":
		do = s.testWebhook
	case "signalevent":
		do = s.signalEvent
	case "getlasterror":
		do = s.getLastError
	default:
		return nil
	}
	return methods{http.MethodPost: do}
}
