package superoffice

import (
	"net/http"
	"strconv"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/models"
)

// givenWebhook is a webhook as a program describes it, each part of the right
// kind but not yet looked at.
type givenWebhook struct {
	WebhookID int64
	Name      string
	Events    []string
	Email     string
	Target    string
	Secret    *string // nil: keep
	State     string  // one of stateNames; empty: not said
	// Headers are the custom headers when HeadersGiven, otherwise they stay. One
	// without a value keeps the stored value.
	Headers      []models.Header
	HeadersGiven bool
	Properties   []byte // a JSON object; nil: none
	wrong        keyFaults
}

// readDefinition reads a body. Faults are collected in the definition and
// reported together with later ones.
func readDefinition(body []byte) (*givenWebhook, error) {
	if body[0] != '{' {
		return nil, badKey("Body", "The body must be a JSON object with the keys of a webhook.")
	}
	d := &givenWebhook{}
	found := named(body, definitionKeys, &d.wrong)
	d.WebhookID = d.whole(found, keyWebhookID)
	d.Name, _ = d.text(found, keyName)
	d.Email, _ = d.text(found, keyEmail)
	d.Target, _ = d.text(found, keyTarget)
	if secret, ok := d.text(found, keySecret); ok {
		d.Secret = &secret
	}
	d.Events = d.readEvents(found[keyEvents])
	var ok bool
	if d.State, ok = readState(found[keyState]); !ok {
		d.wrong.add(keyState, "It must be Unknown, Active, Stopped or TooManyErrors, or its number from 0 to 3.")
	}
	if kind, given := d.text(found, keyType); given && kind != "" && foldName([]string{pluginType}, kind) == "" {
		d.wrong.add(keyType, "The only supported type is “%s”.", pluginType)
	}
	d.readHeaders(found[keyHeaders])
	if v := found[keyProperties]; !isNull(v) {
		if v[0] == '{' {
			d.Properties = v
		} else {
			d.wrong.add(keyProperties, "They must be a JSON object.")
		}
	}
	return d, nil
}

func (d *givenWebhook) text(found map[string][]byte, key string) (text string, given bool) {
	v := found[key]
	if isNull(v) {
		return "", false
	}
	if v[0] != '"' {
		d.wrong.add(key, "It must be a string.")
		return "", false
	}
	return api.Unquote(v), true
}

func (d *givenWebhook) whole(found map[string][]byte, key string) int64 {
	v := found[key]
	if isNull(v) {
		return 0
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil || n < 0 {
		d.wrong.add(key, "It must be a whole number.")
		return 0
	}
	return n
}

func (d *givenWebhook) readEvents(v []byte) []string {
	switch {
	case isNull(v):
		return nil
	case v[0] != '[':
		d.wrong.add(keyEvents, "They must be a list of names.")
		return nil
	}
	var list []string
	for element := range api.Elements(v) {
		if element[0] != '"' {
			d.wrong.add(keyEvents, "They must be a list of names.")
			return nil
		}
		if list = append(list, api.Unquote(element)); len(list) > definition.EventsMax {
			break // too many, as will be said
		}
	}
	return list
}

func (d *givenWebhook) readHeaders(v []byte) {
	switch {
	case isNull(v):
		return
	case v[0] != '{':
		d.wrong.add(keyHeaders, "They must be a JSON object whose values are strings.")
		return
	}
	d.HeadersGiven = true
	for key, value := range api.Members(v) {
		h := models.Header{Name: string(key)}
		switch {
		case isNull(value):
		case value[0] == '"':
			h.Value = api.Unquote(value)
		default:
			d.wrong.add(keyHeaders, "The value of %s must be a string.", h.Name)
		}
		if d.Headers = append(d.Headers, h); len(d.Headers) > definition.HeadersMax {
			return // too many, as will be said
		}
	}
}

// sameID refuses a body that is about another webhook than the address.
func (d *givenWebhook) sameID(id int64) error {
	if d.WebhookID == 0 || d.WebhookID == id {
		return nil
	}
	return &failure{
		status: http.StatusBadRequest,
		faults: keyFaults{{keyWebhookID, "The body is for webhook " + strconv.FormatInt(d.WebhookID, 10) + ", but the address is for another webhook."}},
	}
}
