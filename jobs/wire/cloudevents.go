package wire

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"
)

const cloudEventsPrefix = "prefix" // key of the field

// CloudEvents 1.0 over HTTP.
func init() {
	RegisterReader(Reader{
		Kind: "cloudevents", Label: "CloudEvents", Order: 80,
		Help: "CloudEvents 1.0, in structured, batched or binary mode.",
		Fields: []Field{{
			Key: cloudEventsPrefix, Label: "Type prefix", Pattern: `[A-Za-z0-9._-]{1,200}`, PatternHelp: "Enter the beginning of the types, such as com.example.",
			Help: "Left out of each event's type. With com.example. the type com.example.lead.scored becomes lead.scored.",
		}},
		Secrets:     readSecrets("The sender signs each request as the Standard Webhooks specification says. Without a secret, the address of the source holds a token."),
		NewSecret:   newWhsec,
		CheckSecret: checkKeyText,
		Verify:      func(r Received) error { return verifyStandard(r, "webhook-", standardKeys) },
		Read:        readCloudEvents,
	})
}

func readCloudEvents(r Received) (ReadResult, error) {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch mediaType {
	case "application/cloudevents+json":
		body, err := parseBody(r.Body)
		if err != nil {
			return ReadResult{}, err
		}
		return cloudEvents(r, body)
	case "application/cloudevents-batch+json":
		return readCloudEventsBatch(r)
	}
	if strings.HasPrefix(mediaType, "application/cloudevents") {
		return ReadResult{}, fmt.Errorf("the header Content-Type: “%s” is not a format that is read; JSON is", shown(mediaType))
	}
	if r.Header.Get("ce-specversion") == "" {
		return ReadResult{}, errors.New("the header ce-specversion: is missing, and the Content-Type is not application/cloudevents+json")
	}
	return readBinaryCloudEvent(r, mediaType)
}

// readBinaryCloudEvent reads a message that has its attributes in headers.
func readBinaryCloudEvent(r Received, mediaType string) (ReadResult, error) {
	attributes := map[string]json.RawMessage{}
	for _, name := range []string{"specversion", "id", "source", "type", "subject", "time"} {
		if value := r.Header.Get("ce-" + name); value != "" {
			attributes[name] = quoted(decodedHeader(value))
		}
	}
	if len(r.Body) > 0 {
		if mediaType != "application/json" && mediaType != "" && !strings.HasSuffix(mediaType, "+json") {
			return ReadResult{}, fmt.Errorf("the header Content-Type: “%s” is not JSON", shown(mediaType))
		}
		if err := checkJSON(r.Body); err != nil {
			return ReadResult{}, err
		}
		attributes["data"] = r.Body
	}
	text, err := encode(attributes)
	if err != nil {
		return ReadResult{}, err
	}
	message, err := parseObject(text)
	if err != nil {
		return ReadResult{}, err
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

func readCloudEventsBatch(r Received) (ReadResult, error) {
	if err := checkJSON(r.Body); err != nil {
		return ReadResult{}, err
	}
	batch := object{fault: new(error), members: []objectMember{{[]byte("batch"), r.Body}}}
	var messages []object
	for i, raw := range batch.list("batch") {
		messages = append(messages, batch.element("batch", i, raw))
	}
	if *batch.fault != nil {
		return ReadResult{}, *batch.fault
	}
	if len(messages) == 0 {
		return ignored("The batch is empty."), nil
	}
	return cloudEvents(r, messages...)
}

func cloudEvents(r Received, messages ...object) (ReadResult, error) {
	var result ReadResult
	var passed []string
	for _, message := range messages {
		event, why, err := cloudEvent(r, message)
		if err != nil {
			return ReadResult{}, err
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
func cloudEvent(r Received, o object) (event json.RawMessage, why string, err error) {
	if v := o.need("specversion"); v != "1.0" && *o.fault == nil {
		o.fail("specversion", fmt.Errorf("must be 1.0, not %s", shown(v)))
	}
	id := o.need("source") + " " + o.need("id") // a source has no spaces
	wholeType := o.need("type")
	at := o.when("time", r.At)
	subject := ""
	o.read("subject", &subject)
	data := cloudData(o)
	if *o.fault != nil {
		return nil, "", *o.fault
	}
	eventType := strings.TrimPrefix(wholeType, r.Fields[cloudEventsPrefix])
	inner, isObject := parseObject(data)
	innerType := ""
	if isObject == nil {
		inner.read("type", &innerType)
	}
	why = unreadable(eventType)
	if isObject == nil && (innerType == eventType || innerType == "" && inner.has("question") || why != "" && unreadable(innerType) == "") {
		return ingestEventIn(inner, id, eventType, innerType), "", nil
	}
	if why != "" {
		return nil, why, nil
	}
	if data != nil && isObject != nil {
		return nil, "", fmt.Errorf("%sdata: must be an object, not %s", o.path, kindOfJSON(data))
	}
	result, err := readEvents(Event{
		ID: id, Type: eventType, OccurredAt: at, Subject: subjectOf(eventType, subject), Data: compacted(data),
	})
	if err != nil {
		return nil, "", err
	}
	return result.Events[0], "", nil
}

// cloudData is the message's data as JSON; nil: it has none.
func cloudData(o object) json.RawMessage {
	if o.has("data") {
		return o.raw("data")
	}
	text := ""
	if o.read("data_base64", &text); text == "" {
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		o.fail("data_base64", errors.New("is not base64"))
		return nil
	}
	if err := checkJSON(data); err != nil {
		o.fail("data_base64", errors.New("does not hold JSON"))
		return nil
	}
	return data
}

// ingestEventIn is an event of the ingest API as the sender wrote it, under the
// message's id and, where it names none, the message's type.
func ingestEventIn(o object, id, eventType, innerType string) json.RawMessage {
	text := append([]byte(`{"id":`), quoted(id)...)
	if innerType == "" {
		text = append(append(text, `,"type":`...), quoted(eventType)...)
	}
	for _, m := range o.members {
		if string(m.name) != "id" && (innerType != "" || string(m.name) != "type") {
			text = append(append(append(append(text, ','), quoted(string(m.name))...), ':'), m.raw...)
		}
	}
	return compacted(append(text, '}'))
}
