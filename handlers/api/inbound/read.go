package inbound

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/api/ingest"
	"github.com/sitehooks/sitehooks/jobs/jq"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/read"
	"github.com/sitehooks/sitehooks/models"
)

// Programs runs the programs of sources.
type Programs interface {
	// Run gives a request to a source's program, and returns the values that it
	// yields. A *jq.Fault says what is wrong with program or body; any other error
	// means that it could not be run.
	Run(ctx context.Context, source, program string, in jq.Input) ([]json.RawMessage, error)
}

// Reader turns requests of sources into events. It stores nothing.
type Reader struct {
	Programs Programs // nil: no kind has a program
	Log      *slog.Logger
	Now      func() time.Time // nil: the real clock
}

// Reading is what a request says: events that are ready to be stored, or why
// there are none, or what has to be looked up first.
type Reading struct {
	Events  []models.NewEvent
	Ignored string
	Lookups []string
}

// Read turns a request of a source into events of its location, by the same
// check that the ingest API makes. The error is a sentence for people.
func (r *Reader) Read(ctx context.Context, src models.Source, via string, in read.Received) (_ Reading, err error) {
	kind, known := read.ReaderOf(src.Kind)
	if !known {
		return Reading{}, wire.Sentence(fmt.Sprintf("This version of Sitehooks does not know sources of the kind %q.", src.Kind))
	}
	in.Fields = src.Fields
	if kind.HasProgram {
		if in.Output, err = r.run(ctx, src, in); err != nil {
			return Reading{}, err
		}
	}
	result, err := r.readKind(ctx, kind, in)
	if err != nil {
		return Reading{}, err
	}
	if len(result.Lookups) > 0 {
		return Reading{Lookups: result.Lookups}, nil
	}
	if len(result.Events) == 0 {
		ignored := result.Ignored
		if ignored == "" {
			ignored = "There are no events in it."
		}
		return Reading{Ignored: ignored}, nil
	}
	events, err := r.check(src, in.Body, result.Events)
	if err != nil {
		return Reading{}, err
	}
	for i := range events {
		events[i].Source, events[i].Via = src.Name, via
	}
	return Reading{Events: events, Ignored: result.Ignored}, nil
}

// notRunError says that a source's program could not be run at the moment, which
// is no fault of the request.
type notRunError struct{ err error }

func (e *notRunError) Error() string {
	return "The source's program could not be run: " + e.err.Error() + "."
}

func (r *Reader) run(ctx context.Context, src models.Source, in read.Received) ([]json.RawMessage, error) {
	if r.Programs == nil {
		return nil, &notRunError{errors.New("this instance runs no programs")}
	}
	// As they are kept, so that reading the request again gives the same.
	header := make(map[string]string, len(in.Header))
	for _, h := range send.RecordedHeaders(in.Header, in.Secrets) {
		name := strings.ToLower(h.Name)
		if before, more := header[name]; more {
			h.Value = before + ", " + h.Value
		}
		header[name] = h.Value
	}
	output, err := r.Programs.Run(ctx, src.Name, src.Program, jq.Input{Body: in.Body, Header: header})
	if fault, is := errors.AsType[*jq.Fault](err); is {
		return nil, wire.Sentence(fault.Text)
	}
	if err != nil {
		return nil, &notRunError{err}
	}
	return output, nil
}

// readKind keeps a fault in the reading of one kind from stopping the program.
func (r *Reader) readKind(ctx context.Context, kind *read.Reader, in read.Received) (_ read.Result, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			r.Log.ErrorContext(ctx, "cannot read a request of a source", slog.String("kind", kind.Kind), slog.Any("panic", fault))
			err = wire.Sentence("This request could not be read; the log of Sitehooks says why.")
		}
	}()
	return kind.Read(in)
}

// check turns events as JSON into records.
func (r *Reader) check(src models.Source, body []byte, events []json.RawMessage) ([]models.NewEvent, error) {
	var list bytes.Buffer
	list.WriteString(`{"events":[`)
	for i, raw := range events {
		if i > 0 {
			list.WriteByte(',')
		}
		list.Write(ofSource(src, body, i, raw))
	}
	list.WriteString("]}")
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	checked, rej := ingest.ReadEvents(list.Bytes(), false, now())
	if rej != nil {
		return nil, wire.Sentence(faultText(rej))
	}
	return checked, nil
}

// ofSource gives an event the id that it has among those of the source, and the
// source's location. Anything but a JSON object stays as it is, and the check
// refuses it.
func ofSource(src models.Source, body []byte, i int, raw json.RawMessage) []byte {
	value, err := api.ValidJSON(raw)
	if err != nil || value[0] != '{' {
		return raw
	}
	id, invalid := "", false // one that is no string stays: the check says so
	var rest bytes.Buffer
	for key, v := range api.Members(value) {
		isID := string(key) == "id"
		switch {
		case isID && v[0] == '"':
			id = api.Unquote(v)
		case string(key) == "location", isID && string(v) == "null":
		default:
			invalid = invalid || isID
			rest.WriteByte(',')
			rest.Write(api.PlainJSON(string(key)))
			rest.WriteByte(':')
			rest.Write(v)
		}
	}
	if id == "" && !invalid {
		sum := sha256.Sum256(body)
		id = hex.EncodeToString(sum[:]) + "." + strconv.Itoa(i)
	}
	var out bytes.Buffer
	out.WriteString(`{"location":` + string(api.PlainJSON(src.Location)))
	if id != "" {
		out.WriteString(`,"id":` + string(api.PlainJSON(EventID(src.Name, id))))
	}
	out.Write(rest.Bytes())
	out.WriteByte('}')
	return out.Bytes()
}

// maxID is how many characters the id of an event may have.
const maxID = 128

// EventID is the id of an event among those of all sources. A long one is
// replaced by its hash.
func EventID(source, id string) string {
	full := source + ":" + id
	if utf8.RuneCountInString(full) <= maxID {
		return full
	}
	sum := sha256.Sum256([]byte(full))
	return source + ":" + hex.EncodeToString(sum[:])
}

// faultText are the first faults of events as one text.
func faultText(rej *api.Refusal) string {
	const named = 3
	var parts []string
	for i, e := range rej.Errs {
		if i == named {
			parts = append(parts, fmt.Sprintf("and %d more", len(rej.Errs)-named))
			break
		}
		place := e.Field
		if e.Index != nil {
			place = strings.TrimSpace(fmt.Sprintf("event %d: %s", *e.Index+1, e.Field))
		}
		parts = append(parts, strings.TrimSpace(place+" "+e.Message))
	}
	if len(parts) == 0 {
		return rej.Detail
	}
	return "The events are invalid: " + strings.Join(parts, "; ") + "."
}
