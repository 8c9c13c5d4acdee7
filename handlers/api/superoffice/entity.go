package superoffice

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/models"
)

// Keys of a definition in the vendor's spelling and order.
const (
	keyWebhookID  = "WebhookId"
	keyName       = "Name"
	keyEvents     = "Events"
	keyEmail      = "ErrorsEmail"
	keyTarget     = "TargetUrl"
	keySecret     = "Secret"
	keyState      = "State"
	keyType       = "Type"
	keyHeaders    = "Headers"
	keyProperties = "Properties"
)

// definitionKeys are all of them; the last four are only read.
var definitionKeys = []string{
	keyWebhookID, keyName, keyEvents, keyEmail, keyTarget, keySecret, keyState, keyType, keyHeaders, keyProperties,
	"Registered", "RegisteredAssociate", "Updated", "UpdatedAssociate",
}

// Keys of the type's own fields.
const (
	optionProperties = "properties"
	optionEmail      = "errors_email"
)

// pluginType is the one Type there is.
const pluginType = "webhook"

// States of the vendor, by number. 0 is said of none.
const (
	stateUnknown = "Unknown"
	stateActive  = "Active"
	stateStopped = "Stopped"
	stateBroken  = "TooManyErrors"
)

var stateNames = []string{stateUnknown, stateActive, stateStopped, stateBroken}

// vendorStates are the names of the stored states.
var vendorStates = map[string]string{
	models.WebhookActive:  stateActive,
	models.WebhookStopped: stateStopped,
	models.WebhookBroken:  stateBroken,
}

// entity is the JSON form of a webhook. Secret is always null; headers have
// names only.
type entity struct {
	WebhookID           int64 `json:"WebhookId"`
	Name                *string
	Events              []string
	ErrorsEmail         *string
	TargetURL           *string `json:"TargetUrl"`
	Secret              *string
	State               string
	Type                string
	Headers             hiddenHeaders
	Properties          json.RawMessage
	Registered          time.Time
	RegisteredAssociate *associate
	Updated             time.Time
	UpdatedAssociate    *associate
}

// associate is a member as the vendor names one; id 0: not known.
type associate struct {
	AssociateID int64 `json:"AssociateId"`
	Name        string
	FullName    string
}

// hiddenHeaders are written as an object with null for each value.
type hiddenHeaders []models.Header

// MarshalJSON keeps the order.
func (h hiddenHeaders) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, header := range h {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(api.PlainJSON(header.Name))
		b.WriteString(":null")
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// blankEntity is the definition that a program starts from.
func blankEntity() entity {
	return entity{Events: []string{}, State: stateActive, Type: pluginType, Properties: json.RawMessage("{}")}
}

func entityOf(w models.Webhook, o models.Opened) entity {
	email := w.Options[optionEmail]
	at, by := modified(w)
	e := entity{
		WebhookID: w.ID, Name: &w.Name, Events: w.Events, ErrorsEmail: &email, TargetURL: &o.URL,
		State: vendorStates[w.State], Type: pluginType, Headers: o.Headers, Properties: json.RawMessage("{}"),
		Registered: w.CreatedAt.UTC(), RegisteredAssociate: &associate{w.OwnerID, w.OwnerName, w.OwnerName},
		Updated: at, UpdatedAssociate: updatedBy(w, by),
	}
	if text := w.Options[optionProperties]; text != "" {
		e.Properties = json.RawMessage(text)
	}
	return e
}

// updatedBy is the member who saved a webhook last. Only the name is stored;
// the id is known if that member is the owner.
func updatedBy(w models.Webhook, name string) *associate {
	if name == w.OwnerName {
		return &associate{w.OwnerID, name, name}
	}
	return &associate{0, name, name}
}

// modified is the time and author of the last change to a webhook or its state.
func modified(w models.Webhook) (at time.Time, by string) {
	at, by = w.UpdatedAt, w.UpdatedBy
	if w.StateAt != nil && w.StateAt.After(at) {
		at, by = *w.StateAt, w.StateBy
		if by == "" {
			by = "Sitehooks"
		}
	}
	return at.UTC(), by
}

// unmodified refuses a request that is for an older version. A date that is
// none does not count, as RFC 9110 has it.
func unmodified(r *http.Request, w models.Webhook) error {
	since, err := http.ParseTime(r.Header.Get("If-Unmodified-Since"))
	if err != nil {
		return nil //nolint:nilerr // no condition
	}
	at, by := modified(w)
	if !at.Truncate(time.Second).After(since) {
		return nil
	}
	return &failure{
		status:  http.StatusPreconditionFailed,
		message: "The webhook was changed by " + by + " after " + since.Format(http.TimeFormat) + ". Read it again, then make your changes.",
	}
}

// output is the answer that shows a webhook.
func (s *API) output(w models.Webhook) (answer, error) {
	o, err := s.Store.Webhooks.Open(w)
	if err != nil {
		return answer{}, err
	}
	return outputOpen(w, o), nil
}

// outputOpen is output for a webhook that is open.
func outputOpen(w models.Webhook, o models.Opened) answer {
	at, _ := modified(w)
	return answer{value: entityOf(w, o), modified: at}
}

// readState reads a state by name or number; empty: not given.
func readState(v value) (name string, ok bool) {
	if !v.given() {
		return "", true
	}
	text := string(v)
	if v[0] == '"' {
		text = v.text()
	}
	if name = foldName(stateNames, text); name != "" {
		return name, true
	}
	if i := strings.Index("0123", text); len(text) == 1 && i >= 0 {
		return stateNames[i], true
	}
	return "", text == ""
}
