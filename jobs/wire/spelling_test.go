package wire_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// TestTypesNamed: each spelling of each type that people see names it, and a type's
// own name means that type alone.
func TestTypesNamed(t *testing.T) {
	own := wire.EventTypes()
	for _, name := range own {
		if got := wire.TypesNamed(strings.ToUpper(name)); !slices.Equal(got, []string{name}) {
			t.Errorf("%s names %v", name, got)
		}
		if got := wire.TypesNamed(" " + wire.EventWords(name)); !slices.Contains(got, name) {
			t.Errorf("%s names %v", wire.EventWords(name), got)
		}
	}
	for _, f := range wire.Formats() {
		for _, o := range f.Options {
			for _, spelling := range []string{o.Label, o.Value} {
				got := wire.TypesNamed(spelling)
				if slices.Contains(own, spelling) {
					continue
				}
				for _, name := range o.Types() {
					if !slices.Contains(got, name) {
						t.Errorf("%s of %s names %v, not %s", spelling, f.Label, got, name)
					}
				}
			}
		}
	}
	for text, want := range map[string][]string{
		"answer.changed": {wire.AnswerAccepted, wire.AnswerEdited}, "lead.scored": {"lead.scored"}, "": nil, "no such type": nil, "a.b.c": nil,
	} {
		if got := wire.TypesNamed(text); !slices.Equal(got, want) {
			t.Errorf("%q names %v, want %v", text, got, want)
		}
	}
}
