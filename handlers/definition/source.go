package definition

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire/read"
	"github.com/sitehooks/sitehooks/models"
)

// The fields that a fault of a source may be of, besides those of a webhook.
const (
	FieldProgram     = "program"
	FieldExpectHours = "expect_hours"
)

const (
	// SourceNameMax is how long the name of a source may be, in characters: the
	// ids of its events begin with it.
	SourceNameMax = 63
	programMax    = 64 << 10 // bytes
	expectMax     = 24 * 365 // hours
)

var sourceName = regexp.MustCompile(fmt.Sprintf(`^[a-z0-9-]{1,%d}$`, SourceNameMax))

// SourceInput is the wanted content of a source. A nil field keeps the saved
// value, or the default of a new source.
type SourceInput struct {
	Name        string       // of a new source; it stays
	Kind        *read.Reader // which no save changes; nil: a follower
	Location    *string      // as Places finds it
	Program     *string
	ExpectHours *int64            // 0: no event is expected; -1: what was given is no number
	Secrets     [2]*string        // empty removes it
	Fields      map[string]string // of the kind, by key; an absent one keeps its value
	NewAddress  bool
}

// SourceChecker has what the rules for sources ask.
type SourceChecker struct {
	Sources *models.Sources
	Sender  Sender
	Places  Places
	// Program describes the fault of a jq program in a sentence; nil: programs
	// cannot be run.
	Program func(ctx context.Context, program string) error
}

// Check looks a source through; saved is nil for a new one. With faults the
// result must not be stored. The error is of the system.
func (c *SourceChecker) Check(ctx context.Context, in SourceInput, saved *models.Source) (models.SourceInput, Faults, error) {
	k := sourceCheck{in: in, saved: saved}
	k.out.Location, k.out.NewAddress = models.MainLocation, in.NewAddress
	if in.Kind != nil {
		k.out.Kind = in.Kind.Kind
	}
	if saved != nil {
		k.out = models.SourceInput{
			Kind: saved.Kind, Location: saved.Location, Program: saved.Program, Fields: saved.Fields,
			ExpectHours: saved.ExpectHours, NewAddress: in.NewAddress,
		}
	}
	k.name()
	k.secrets()
	k.hours()
	if err := k.location(ctx, c.Places); err != nil {
		return k.out, k.faults, err
	}
	if err := k.fields(ctx, c.Sender); err != nil {
		return k.out, k.faults, err
	}
	return k.out, k.faults, k.program(ctx, c.Program)
}

type sourceCheck struct {
	in     SourceInput
	saved  *models.Source
	out    models.SourceInput
	faults Faults
}

func (k *sourceCheck) name() {
	switch {
	case k.saved != nil:
	case k.in.Name == "":
		k.faults.add(FieldName, "Enter a name.")
	case k.in.Name == "new":
		k.faults.add(FieldName, "This name is reserved. Choose another.")
	case !sourceName.MatchString(k.in.Name):
		k.faults.add(FieldName, fmt.Sprintf("Use 1 to %d of the characters a–z, 0–9 and -.", SourceNameMax))
	}
}

func (k *sourceCheck) location(ctx context.Context, places Places) error {
	if k.in.Location == nil {
		return nil
	}
	if *k.in.Location == "" {
		k.faults.add(FieldLocation, "Choose a location.")
		return nil
	}
	slug, fault, err := places.FilterLocation(ctx, *k.in.Location)
	if k.out.Location = slug; fault != "" {
		k.faults.add(FieldLocation, fault)
	}
	return err
}

func (k *sourceCheck) hours() {
	if k.in.ExpectHours == nil {
		return
	}
	if k.out.ExpectHours = *k.in.ExpectHours; k.out.ExpectHours < 0 || k.out.ExpectHours > expectMax {
		k.faults.add(FieldExpectHours, fmt.Sprintf("Enter a whole number of hours up to %d, or leave it empty.", expectMax))
	}
}

func (k *sourceCheck) secrets() {
	for i, typed := range k.in.Secrets {
		if typed == nil {
			continue
		}
		if k.out.Secrets[i] = (models.SecretChange{Set: *typed, Clear: *typed == ""}); *typed == "" {
			continue
		}
		if k.in.Kind == nil || i >= len(k.in.Kind.Secrets) {
			k.faults.add(SecretField(i), "Sources of this kind have no such secret.")
		} else if err := k.in.Kind.CheckSecret(*typed); err != nil {
			k.faults.add(SecretField(i), wording.Sentence(err))
		}
	}
}

// fields checks those of the kind. The instance's URL must be one that look-ups
// may reach.
func (k *sourceCheck) fields(ctx context.Context, sender Sender) error {
	if k.in.Kind == nil {
		return nil
	}
	values := map[string]string{}
	if k.saved != nil {
		maps.Copy(values, k.saved.Fields)
	}
	for _, field := range k.in.Kind.Fields {
		value, given := k.in.Fields[field.Key]
		if !given {
			value = values[field.Key]
		}
		if value == "" && len(field.Choices) > 0 {
			value = field.Choices[0]
		}
		name := OptionField(field.Key)
		switch {
		case value == "" && field.Required:
			k.faults.add(name, "This field is required.")
		case value != "":
			value = checkField(&k.faults, field, name, value)
		}
		if field.Key == k.in.Kind.InstanceField && value != "" && k.faults.Of(name) == "" {
			if err := sender.CheckURL(ctx, value); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				k.faults.add(name, wording.Sentence(err))
			}
		}
		if values[field.Key] = value; value == "" {
			delete(values, field.Key)
		}
	}
	k.out.Fields = values
	return nil
}

func (k *sourceCheck) program(ctx context.Context, compile func(ctx context.Context, program string) error) error {
	if k.in.Kind == nil || !k.in.Kind.HasProgram {
		k.out.Program = ""
		return nil
	}
	if k.in.Program != nil {
		k.out.Program = strings.TrimSpace(strings.ReplaceAll(*k.in.Program, "\r\n", "\n"))
	}
	switch {
	case k.out.Program == "":
		k.faults.add(FieldProgram, "Enter a program. The program . passes an event on as it came.")
	case len(k.out.Program) > programMax || !wording.IsText(k.out.Program):
		k.faults.add(FieldProgram, fmt.Sprintf("The program may have up to %d bytes of text.", programMax))
	case k.in.Program == nil || compile == nil:
	default:
		if err := compile(ctx, k.out.Program); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			k.faults.add(FieldProgram, wording.Sentence(err))
		}
	}
	return nil
}

// SourceFaultOf describes an error of storing a source as a fault; false: the
// error is of the system.
func SourceFaultOf(err error) (Fault, bool) {
	if conflict, is := errors.AsType[*models.ConflictError](err); is {
		return Fault{FieldVersion, fmt.Sprintf("This source was changed by %s meanwhile, so nothing was saved.", conflict.By)}, true
	}
	switch {
	case errors.Is(err, models.ErrExists):
		return Fault{FieldName, "There is already a source of this name."}, true
	case errors.Is(err, models.ErrManySources):
		return Fault{FieldName, fmt.Sprintf("There are already %d sources, and there can be no more.", models.MaxSources)}, true
	}
	return Fault{}, false
}
