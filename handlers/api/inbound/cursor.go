package inbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// Limits of a cursor.
const (
	maxPlace  = 512 << 10 // bytes of JSON
	maxHolder = 200       // characters
	maxLease  = 5 * time.Minute
	maxBehind = 100 * 365 * 24 * 3600 // seconds
	maxWords  = 500                   // characters of last_skipped and error that are kept

	cursorPlaces = 32
	cursorBytes  = 16 << 20
)

var isSlug = regexp.MustCompile(`^[a-z0-9-]{1,64}$`).MatchString

// CursorStore keeps the places of followers.
type CursorStore interface {
	// Cursor returns the place of a follower, or models.ErrNotFound.
	Cursor(ctx context.Context, name string) (models.SourceCursor, models.Source, error)
	// PutCursor stores what a follower reports. See models.Sources for its errors.
	PutCursor(ctx context.Context, by models.Actor, name string, in models.CursorInput) (models.SourceCursor, error)
}

// CursorDeps are the dependencies of Cursors.
type CursorDeps struct {
	Sources     CursorStore
	Access      *api.Access
	MemoryShare float64 // see ingest.Deps
}

// Cursors is the API with which followers keep the place that they have
// reached, and see to it that one of them works for a source at a time.
type Cursors struct {
	CursorDeps
	places api.Places
}

// NewCursors returns the API.
func NewCursors(d CursorDeps) *Cursors {
	return &Cursors{CursorDeps: d, places: api.NewPlaces(cursorPlaces, cursorBytes, d.MemoryShare)}
}

// CursorInput is what a follower sends. A pointer that is nil was absent or null.
type CursorInput struct {
	Location      *string         `json:"location" doc:"Where the source belongs; absent: the location of the token, or main when the source is new"`
	Holder        *string         `json:"holder" binding:"required" doc:"Name of this follower, of 1 to 200 printable characters; another one waits while it has the lease"`
	LeaseSeconds  *int64          `json:"lease_seconds" binding:"required" doc:"For how long it keeps the lease, at most 300; 0 gives it back"`
	Place         json.RawMessage `json:"place" any:"true" doc:"The place reached, in at most 512 KiB; absent or null renews the lease alone"`
	BehindSeconds *int64          `json:"behind_seconds" doc:"How old the oldest activity is that was not reported yet"`
	Skipped       *int64          `json:"skipped" doc:"How many events were left out since the report before"`
	LastSkipped   *string         `json:"last_skipped" doc:"The newest of these, and why"`
	Error         *string         `json:"error" doc:"Why the other system cannot be read; empty: it can"`
}

// Cursor is a cursor as it is stored.
type Cursor struct {
	Name          string          `json:"name" doc:"Name of the source"`
	Place         json.RawMessage `json:"place" any:"true" doc:"The place reached; null: none was stored"`
	BehindSeconds int64           `json:"behind_seconds"`
	Skipped       int64           `json:"skipped" doc:"How many events were left out so far"`
	LastSkipped   string          `json:"last_skipped" doc:"The newest of these, and why"`
	Holder        *string         `json:"holder" doc:"The follower that has the lease; null: none has it"`
	LeasedUntil   *time.Time      `json:"leased_until"`
}

func answerOf(c models.SourceCursor) Cursor {
	a := Cursor{
		Name: c.Source, Place: json.RawMessage(c.Place), BehindSeconds: c.BehindSeconds, Skipped: c.Skipped, LastSkipped: c.LastSkipped,
		LeasedUntil: c.LeasedUntil,
	}
	if c.Place == "" {
		a.Place = json.RawMessage("null")
	}
	if c.LeasedBy != "" {
		a.Holder = &c.LeasedBy
	}
	return a
}

// Get answers GET /api/v1/sources/:name/cursor.
func (x *Cursors) Get(c *gin.Context) {
	x.answer(c, "reading a cursor", func(token models.Token) (models.SourceCursor, *api.Refusal) {
		cursor, source, err := x.Sources.Cursor(c.Request.Context(), c.Param("name"))
		switch {
		case errors.Is(err, models.ErrNotFound), err == nil && token.Location != "" && source.Location != token.Location:
			return cursor, noCursor()
		case err != nil:
			return cursor, x.Access.Away(c.Request.Context(), "reading a cursor", err)
		}
		return cursor, nil
	})
}

// Put answers PUT /api/v1/sources/:name/cursor.
func (x *Cursors) Put(c *gin.Context) {
	x.answer(c, "storing a cursor", func(token models.Token) (models.SourceCursor, *api.Refusal) {
		in, rej := x.read(c, token)
		if rej != nil {
			return models.SourceCursor{}, rej
		}
		by := token.Actor()
		if token.ID == 0 {
			by.Name = "SITEHOOKS_INGEST_TOKEN"
		}
		cursor, err := x.Sources.PutCursor(c.Request.Context(), by, c.Param("name"), in)
		return cursor, x.refusal(c.Request.Context(), in, err)
	})
}

func (x *Cursors) answer(c *gin.Context, purpose string, work func(models.Token) (models.SourceCursor, *api.Refusal)) {
	w, r := c.Writer, c.Request
	var cursor models.SourceCursor
	token, rej := x.Access.Authorize(r, models.ScopeIngest, purpose)
	if rej == nil {
		cursor, rej = work(token)
	}
	if rej != nil {
		x.Access.Note(api.NameIngest, r, token, rej)
		x.Access.Drain(w, r)
		if rej.Status == http.StatusUnsupportedMediaType {
			w.Header().Set("Accept", api.TypeJSON)
		}
		rej.Write(w)
		return
	}
	w.Header().Set("Content-Type", api.TypeJSON)
	_, _ = w.Write(api.PlainJSON(answerOf(cursor)))
}

// read reads and checks the body of a PUT.
func (x *Cursors) read(c *gin.Context, token models.Token) (models.CursorInput, *api.Refusal) {
	none := models.CursorInput{}
	if kind, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type")); err != nil || kind != api.TypeJSON {
		return none, &api.Refusal{Status: http.StatusUnsupportedMediaType, Reason: api.ReasonMediaType, Detail: "Content-Type must be " + api.TypeJSON + "."}
	}
	q, rej := x.places.Enter(c.Request.Context(), api.Flow(token))
	if rej != nil {
		return none, rej
	}
	defer q.Release()
	text, rej := q.Read(c.Writer, c.Request)
	if rej != nil {
		return none, rej
	}
	defer text.Release()
	var f api.Faults
	body := decodeCursor(text.Text, &f)
	in := body.input(&f)
	if name := c.Param("name"); !isSlug(name) || name == "new" {
		f.Whole("name", "must be 1 to 64 of the characters a-z, 0-9 and -, and not new")
	}
	if len(f) > 0 {
		return none, &api.Refusal{
			Status: http.StatusBadRequest, Reason: api.ReasonInvalid, Detail: "The request is invalid; see errors. Nothing of it was stored.", Errs: f,
		}
	}
	switch {
	case token.Location == "":
	case in.Location == "":
		in.Location = token.Location
	case in.Location != token.Location:
		f.Whole("location", "is %s, but the token is for %s only", in.Location, token.Location)
		return none, &api.Refusal{
			Status: http.StatusForbidden, Reason: api.ReasonLocation, Errs: f,
			Detail: fmt.Sprintf("The token is for the location %s only.", token.Location),
		}
	}
	return in, nil
}

func decodeCursor(text []byte, f *api.Faults) CursorInput {
	var body CursorInput
	value, err := api.ValidJSON(text)
	switch {
	case err != nil:
		f.Syntax(nil, err)
		return body
	case value[0] != '{':
		f.Whole("", "must be a JSON object")
		return body
	}
	// Each member by itself, so that a fault names its field.
	members := []cursorMember{
		{"location", "a string", &body.Location},
		{"holder", "a string", &body.Holder},
		{"lease_seconds", "a whole number", &body.LeaseSeconds},
		{"place", "JSON", &body.Place},
		{"behind_seconds", "a whole number", &body.BehindSeconds},
		{"skipped", "a whole number", &body.Skipped},
		{"last_skipped", "a string", &body.LastSkipped},
		{"error", "a string", &body.Error},
	}
	for key, v := range api.Members(value) {
		i := slices.IndexFunc(members, func(m cursorMember) bool { return m.name == string(key) })
		switch {
		case i >= 0 && json.Unmarshal(v, members[i].into) != nil:
			f.Whole(members[i].name, "must be %s", members[i].kind)
		case i < 0 && !slices.Contains(onlyRead, string(key)):
			f.Whole(api.Clip(string(key)), "There is no field of this name.")
		}
	}
	return body
}

// cursorMember is a member of the body of a PUT.
type cursorMember struct {
	name, kind string
	into       any
}

// onlyRead are the members that a Cursor has more than what is sent. They are
// ignored, so that what was read can be sent back.
var onlyRead = []string{"name", "leased_until"}

// input checks what a follower sent.
func (b CursorInput) input(f *api.Faults) models.CursorInput {
	in := models.CursorInput{}
	if b.Location != nil {
		if in.Location = *b.Location; !isSlug(in.Location) {
			f.Whole("location", "must be 1 to 64 of the characters a-z, 0-9 and -")
		}
	}
	switch {
	case b.Holder == nil:
		f.Whole("holder", "is required")
	case strings.TrimSpace(*b.Holder) == "", utf8.RuneCountInString(*b.Holder) > maxHolder, !wording.IsShown(*b.Holder):
		f.Whole("holder", "must have 1 to %d printable characters", maxHolder)
	default:
		in.Holder = *b.Holder
	}
	if b.LeaseSeconds == nil {
		f.Whole("lease_seconds", "is required; 0 gives the lease back")
	}
	in.Lease = time.Duration(within(f, "lease_seconds", b.LeaseSeconds, int64(maxLease/time.Second))) * time.Second
	in.BehindSeconds = within(f, "behind_seconds", b.BehindSeconds, maxBehind)
	in.Skipped = within(f, "skipped", b.Skipped, 1<<31)
	in.LastSkipped, in.Error = words(b.LastSkipped), words(b.Error)
	if len(b.Place) > maxPlace {
		f.Whole("place", "has %d bytes, more than %d", len(b.Place), maxPlace)
	}
	if place := string(b.Place); place != "" && place != "null" {
		in.Place = &place
	}
	return in
}

// within returns a number from 0 to most; an absent one is 0.
func within(f *api.Faults, field string, n *int64, most int64) int64 {
	if n == nil {
		return 0
	}
	if *n < 0 || *n > most {
		f.Whole(field, "must be from 0 to %d", most)
		return 0
	}
	return *n
}

// words are a follower's words, of which no more are kept than a page shows.
func words(s *string) string {
	if s == nil {
		return ""
	}
	plain := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, *s)
	if r := []rune(plain); len(r) > maxWords {
		return string(r[:maxWords-1]) + "…"
	}
	return plain
}

func noCursor() *api.Refusal {
	return &api.Refusal{Status: http.StatusNotFound, Reason: api.ReasonInvalid, Detail: "No follower of this name has reported yet."}
}

// refusal puts an error of the store into words; nil: there is none.
func (x *Cursors) refusal(ctx context.Context, in models.CursorInput, err error) *api.Refusal {
	refuse := func(status int, detail, field, message string) *api.Refusal {
		return &api.Refusal{Status: status, Reason: api.ReasonInvalid, Detail: detail, Errs: []api.FieldError{{Field: field, Message: message}}}
	}
	if leased, is := errors.AsType[*models.LeasedError](err); is {
		rej := refuse(http.StatusConflict, "Another follower works for this source.", "holder",
			fmt.Sprintf("%s has the lease until %s", leased.Holder, leased.Until.UTC().Format(time.RFC3339)))
		rej.RetryAfter = 1
		return rej
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, models.ErrOtherKind):
		return refuse(http.StatusForbidden, "This name is taken by a source that is not a follower.", "name", "is the name of a source of another kind")
	case errors.Is(err, models.ErrManySources):
		return refuse(http.StatusForbidden, "There are as many sources as there may be.", "name", fmt.Sprintf("would be one source more than %d", models.MaxSources))
	case errors.Is(err, models.ErrNotFound):
		return refuse(http.StatusForbidden, "There is no location "+in.Location+" yet, or the source belongs to another. Add the location on the page Locations, or name the right one with --location.",
			"location", "does not exist, or is not that of the source: "+in.Location)
	}
	return x.Access.Away(ctx, "storing a cursor", err)
}
