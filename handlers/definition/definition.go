// Package definition has the one set of rules for a valid webhook. The form and
// the APIs translate their input into an Input, and the names of the fields
// with faults into their own; they share everything else.
//
// It promises that nothing of a webhook with faults is stored, that saved
// secrets and header values are used for no other host than they were saved
// for, and that a saved webhook is decrypted once. It knows no page, no JSON and
// no request.
package definition

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// The fields that a fault may be of, besides SecretField and OptionField.
const (
	FieldType      = "type" // the type may have no new webhooks
	FieldKey       = "key"
	FieldName      = "name"
	FieldLocation  = "location"
	FieldEvents    = "events"
	FieldTagMode   = "tag_mode"
	FieldTags      = "tags"
	FieldCommunity = "community"
	FieldURL       = "url"
	FieldHeaders   = "headers"
	FieldOptions   = "options" // of changes; faults have OptionField
	FieldVersion   = "version" // the webhook was changed meanwhile
)

// SecretField is the field of a signing secret, counted from 0.
func SecretField(i int) string { return "secret_" + strconv.Itoa(i+1) }

// OptionField is the field of one of the type's own, by its key.
func OptionField(key string) string { return "option_" + key }

// Fault describes a field's fault in a sentence.
type Fault struct{ Field, Text string }

// Faults has at most one fault for each field.
type Faults []Fault

// Of returns the sentence about a field, or nothing.
func (f Faults) Of(field string) string {
	if i := slices.IndexFunc(f, func(one Fault) bool { return one.Field == field }); i >= 0 {
		return f[i].Text
	}
	return ""
}

// add keeps the first fault of a field.
func (f *Faults) add(field, text string) {
	if f.Of(field) == "" {
		*f = append(*f, Fault{field, text})
	}
}

// Input is the wanted content of a webhook. A nil field keeps the saved value,
// or the default of a new webhook.
type Input struct {
	Format    *wire.Format // the type, which no save changes
	Key       *string      // empty: none
	Name      *string
	Location  *string // as Places finds it
	Community *string // likewise; empty: none
	Events    []string
	TagMode   *string
	Tags      []string
	URL       *string
	Secrets   [2]*string // empty removes it
	// Headers are all custom headers; one with an empty value keeps its saved
	// value.
	Headers []models.Header
	// Options are values of the type's own fields by key. A key that is absent
	// keeps its value; an empty one removes it.
	Options map[string]string
}

// Saved is a stored webhook with its sealed values decrypted.
type Saved struct {
	models.Webhook
	Opened models.Opened
}

// Checked is a webhook that was looked through.
type Checked struct {
	Format *wire.Format
	Saved  *Saved // nil: a new webhook
	// Input is the content to store.
	Input models.WebhookInput
	// Effective are the URL, the secrets and headers in clear, saved ones
	// included as far as they may be used.
	Effective models.Opened
	// Generated says that the type always signs, none of the secrets is left,
	// and so a new one was made, which has not been shown yet.
	Generated bool
}

// Purpose is the reason for a check.
type Purpose int

const (
	// ToSave needs everything.
	ToSave Purpose = iota
	// ToTest needs a target: name and activities may be missing.
	ToTest
	// ToPreview follows every key. It is allowed for a type that is switched
	// off, and waits only briefly for the address of a host.
	ToPreview
)

// Sender is the part of send.Client that the rules need.
type Sender interface {
	CheckURL(ctx context.Context, raw string) error
	Do(ctx context.Context, r send.Request) send.Result
}

// Places finds locations and communities by the name or slug that was typed.
type Places interface {
	// FilterLocation returns the location's slug. Where there is none, fault is
	// a sentence about it.
	FilterLocation(ctx context.Context, typed string) (slug, fault string, err error)
	// FindCommunity returns the slug of a location's community. Error:
	// models.ErrNotFound.
	FindCommunity(ctx context.Context, location, typed string) (slug string, err error)
}

// Checker checks, tests and saves webhooks.
type Checker struct {
	Webhooks *models.Webhooks
	Sender   Sender
	Places   Places
	// Settings returns the settings in force. It is asked when a rule needs them.
	Settings func(ctx context.Context) (models.Settings, error)
	// Register makes a location known before its first webhook is stored; nil:
	// Places finds only known ones.
	Register func(ctx context.Context, location string) error
	// Finish completes a save that has begun to be stored, also when its context
	// ends.
	Finish bool
	// Waiting runs a function that waits for a receiver; nil: it is simply run.
	Waiting func(ctx context.Context, wait func())
	Now     func() time.Time // nil: the real clock
}

// Open decrypts a stored webhook. Error: models.ErrWrongKey.
func (c *Checker) Open(w models.Webhook) (*Saved, error) {
	opened, err := c.Webhooks.Open(w)
	if err != nil {
		return nil, err
	}
	return &Saved{w, opened}, nil
}

// Unchanged is the webhook as it is saved.
func (s *Saved) Unchanged(f *wire.Format) Checked {
	in := models.WebhookInput{
		Type: s.Type, Key: s.Key, Name: s.Name, Location: s.Location, Community: s.Community, TagMode: s.TagMode,
		Events: s.Events, Tags: s.Tags, URL: s.Opened.URL, URLShown: s.URLShown, Options: s.Options,
	}
	return Checked{Format: f, Saved: s, Input: in, Effective: s.Opened}
}
