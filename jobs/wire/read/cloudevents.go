package read

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

const cloudEventsPrefix = "prefix" // key of the field

// CloudEvents 1.0 over HTTP.
func init() {
	Register(Reader{
		Kind: "cloudevents", Label: "CloudEvents", Order: 80,
		Help: "CloudEvents 1.0, in structured, batched or binary mode.",
		Fields: []wire.Field{{
			Key: cloudEventsPrefix, Label: "Type prefix", Pattern: `[A-Za-z0-9._-]{1,200}`, PatternHelp: "Enter the beginning of the types, such as com.example.",
			Help: "Left out of each event's type. With com.example. the type com.example.lead.scored becomes lead.scored.",
		}},
		Secrets:     readSecrets("The sender signs each request as the Standard Webhooks specification says. Without a secret, the address of the source holds a token."),
		NewSecret:   wire.NewWhsec,
		CheckSecret: wire.CheckKeyText,
		Verify:      func(r Received) error { return verifyStandard(r, "webhook-", standardKeys) },
		Read:        readCloudEvents,
	})
}

func readCloudEvents(r Received) (Result, error) {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch mediaType {
	case "application/cloudevents+json":
		body, err := parseBody(r.Body)
		if err != nil {
			return Result{}, err
		}
		return cloudEvents(r, body)
	case "application/cloudevents-batch+json":
		return readCloudEventsBatch(r)
	}
	if strings.HasPrefix(mediaType, "application/cloudevents") {
		return Result{}, fmt.Errorf("the header Content-Type: “%s” is not a format that is read; JSON is", wire.Shown(mediaType))
	}
	if r.Header.Get("ce-specversion") == "" {
		return Result{}, errors.New("the header ce-specversion: is missing, and the Content-Type is not application/cloudevents+json")
	}
	return readBinaryCloudEvent(r, mediaType)
}

// readBinaryCloudEvent reads a message that has its attributes in headers.
func readBinaryCloudEvent(r Received, mediaType string) (Result, error) {
	attributes := map[string]json.RawMessage{}
	for _, name := range []string{"specversion", "id", "source", "type", "subject", "time"} {
		if value := r.Header.Get("ce-" + name); value != "" {
			attributes[name] = object.Quote(decodedHeader(value))
		}
	}
	if len(r.Body) > 0 {
		if mediaType != "application/json" && mediaType != "" && !strings.HasSuffix(mediaType, "+json") {
			return Result{}, fmt.Errorf("the header Content-Type: “%s” is not JSON", wire.Shown(mediaType))
		}
		if err := checkJSON(r.Body); err != nil {
			return Result{}, err
		}
		attributes["data"] = r.Body
	}
	text, err := object.Encode(attributes)
	if err != nil {
		return Result{}, err
	}
	message, err := object.Parse(text)
	if err != nil {
		return Result{}, err
	}
	return cloudEvents(r, message)
}

// decodedHeader undoes the percent-encoding of a header's value.
func decodedHeader(value string) string {
	var out []byte
	for i := 0; i < len(value); i++ {
		var b byte
		if value[i] == '%' && i+2 < len(value) {
			if _, err := fmt.Sscanf(value[i+1:i+3], "%02x", &b); err == nil {
				out, i = append(out, b), i+2
				continue
			}
		}
		out = append(out, value[i])
	}
	return strings.ToValidUTF8(string(out), "?")
}

func readCloudEventsBatch(r Received) (Result, error) {
	if err := checkJSON(r.Body); err != nil {
		return Result{}, err
	}
	batch := object.Of(object.Member{Name: []byte("batch"), Value: r.Body})
	var messages []object.Object
	for i, raw := range batch.List("batch", MaxEvents) {
		messages = append(messages, batch.Element("batch", i, raw))
	}
	if batch.Fault() != nil {
		return Result{}, batch.Fault()
	}
	if len(messages) == 0 {
		return ignored("The batch is empty."), nil
	}
	return cloudEvents(r, messages...)
}

func cloudEvents(r Received, messages ...object.Object) (Result, error) {
	var result Result
	var passed []string
	for _, message := range messages {
		event, why, err := cloudEvent(r, message)
		if err != nil {
			return Result{}, err
		}
		if why != "" {
			passed = append(passed, why)
			continue
		}
		result.Events = append(result.Events, event)
	}
	slices.Sort(passed)
	passed = slices.Compact(passed)
	result.Ignored = strings.Join(passed[:min(len(passed), 5)], " ")
	return result, nil
}

// cloudEvent reads one message: an event of its own, or one of the ingest API
// in its data.
func cloudEvent(r Received, o object.Object) (event json.RawMessage, why string, err error) {
	if v := o.Need("specversion"); v != "1.0" && o.Fault() == nil {
		o.Fail("specversion", fmt.Errorf("must be 1.0, not %s", wire.Shown(v)))
	}
	id := o.Need("source") + " " + o.Need("id") // a source has no spaces
	wholeType := o.Need("type")
	at := o.When("time", r.At)
	subject := ""
	o.Read("subject", &subject)
	data := cloudData(o)
	if o.Fault() != nil {
		return nil, "", o.Fault()
	}
	eventType := strings.TrimPrefix(wholeType, r.Fields[cloudEventsPrefix])
	inner, isObject := object.Parse(data)
	innerType := ""
	if isObject == nil {
		inner.Read("type", &innerType)
	}
	why = unreadable(eventType)
	if isObject == nil && (innerType == eventType || innerType == "" && inner.Has("question") || why != "" && unreadable(innerType) == "") {
		return ingestEventIn(inner, id, eventType, innerType), "", nil
	}
	if why != "" {
		return nil, why, nil
	}
	if data != nil && isObject != nil {
		o.Fail("data", fmt.Errorf("must be an object, not %s", kindOfJSON(data)))
		return nil, "", o.Fault()
	}
	result, err := readEvents(wire.Event{
		ID: id, Type: eventType, OccurredAt: at, Subject: subjectOf(eventType, subject), Data: object.Compact(data),
	})
	if err != nil {
		return nil, "", err
	}
	return result.Events[0], "", nil
}

// cloudData is the message's data as JSON; nil: it has none.
func cloudData(o object.Object) json.RawMessage {
	if o.Has("data") {
		return o.Raw("data")
	}
	text := ""
	if o.Read("data_base64", &text); text == "" {
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		o.Fail("data_base64", errors.New("is not base64"))
		return nil
	}
	if err := checkJSON(data); err != nil {
		o.Fail("data_base64", errors.New("does not hold JSON"))
		return nil
	}
	return data
}

// ingestEventIn is an event of the ingest API as the sender wrote it, under the
// message's id and, where it names none, the message's type.
func ingestEventIn(o object.Object, id, eventType, innerType string) json.RawMessage {
	text := append([]byte(`{"id":`), object.Quote(id)...)
	if innerType == "" {
		text = append(append(text, `,"type":`...), object.Quote(eventType)...)
	}
	for _, m := range o.Members() {
		if string(m.Name) != "id" && (innerType != "" || string(m.Name) != "type") {
			text = append(append(append(append(text, ','), object.Quote(string(m.Name))...), ':'), m.Value...)
		}
	}
	return object.Compact(append(text, '}'))
}
