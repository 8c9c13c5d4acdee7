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

// definitionBody is a webhook as it comes in a body. The last four keys are only
// read by programs, and ignored here.
type definitionBody struct {
	WebhookID           value `json:"WebhookId,omitempty" binding:"json_once,json_whole"`
	Name                value `json:",omitempty" binding:"json_once,json_text"`
	ErrorsEmail         value `json:",omitempty" binding:"json_once,json_text"`
	TargetURL           value `json:"TargetUrl,omitempty" binding:"json_once,json_text"`
	Secret              value `json:",omitempty" binding:"json_once,json_text"`
	Events              value `json:",omitempty" binding:"json_once,json_texts"`
	State               value `json:",omitempty" binding:"json_once,state"`
	Type                value `json:",omitempty" binding:"json_once,json_text,plugin_type"`
	Headers             value `json:",omitempty" binding:"json_once,json_object"`
	Properties          value `json:",omitempty" binding:"json_once,json_object"`
	Registered          value `json:",omitempty" binding:"json_once"`
	RegisteredAssociate value `json:",omitempty" binding:"json_once"`
	Updated             value `json:",omitempty" binding:"json_once"`
	UpdatedAssociate    value `json:",omitempty" binding:"json_once"`
}

// readDefinition reads a body. Faults are collected in the definition and
// reported together with later ones.
func readDefinition(body []byte) (*givenWebhook, error) {
	if body[0] != '{' {
		return nil, badKey("Body", "The body must be a JSON object with the keys of a webhook.")
	}
	var in definitionBody
	d := &givenWebhook{wrong: bind(body, &in)}
	d.Name, d.Email, d.Target = in.Name.text(), in.ErrorsEmail.text(), in.TargetURL.text()
	d.WebhookID, _ = wholeNumber(string(in.WebhookID))
	d.State, _ = readState(in.State)
	if in.Secret.given() {
		d.Secret = new(in.Secret.text())
	}
	if in.Events.given() && !d.wrong.has(keyEvents) {
		d.Events = readEvents(in.Events)
	}
	if in.Headers.given() && !d.wrong.has(keyHeaders) {
		d.readHeaders(in.Headers)
	}
	if in.Properties.given() && !d.wrong.has(keyProperties) {
		d.Properties = []byte(in.Properties)
	}
	return d, nil
}

// wholeNumber is a number from 0 on; 0 when there is none.
func wholeNumber(raw string) (n int64, is bool) {
	if !value(raw).given() {
		return 0, true
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	return n, err == nil && n >= 0
}

func isPluginType(raw string) bool {
	kind := value(raw).text()
	return kind == "" || foldName([]string{pluginType}, kind) != ""
}

func readEvents(list value) []string {
	var events []string
	for element := range api.Elements([]byte(list)) {
		if events = append(events, api.Unquote(element)); len(events) > definition.EventsMax {
			break // too many, as will be said
		}
	}
	return events
}

// readHeaders reads the members one by one, because the fault names the header.
func (d *givenWebhook) readHeaders(object value) {
	d.HeadersGiven = true
	for key, text := range api.Members([]byte(object)) {
		h := models.Header{Name: string(key)}
		switch {
		case isNull(text):
		case text[0] == '"':
			h.Value = api.Unquote(text)
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
