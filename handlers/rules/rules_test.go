package rules_test

import (
	"net/url"
	"slices"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/rules"
)

type span struct {
	From string `form:"from" binding:"omitempty,slug"`
}

type filter struct {
	Name  string `form:"name" binding:"omitempty,max=3"`
	Email string `form:"email" binding:"omitempty,email"`
	Kind  string `form:"time" binding:"omitempty,oneof=1h 24h"`
	span
	Other string
}

// TestFiltersThatBreakARuleAreLeftOut: their fields are empty, also those of an
// embedded struct, and the sentences come in the order of the fields.
func TestFiltersThatBreakARuleAreLeftOut(t *testing.T) {
	var f filter
	said := rules.BindFilters(url.Values{"name": {" abc ", "second"}, "email": {"mary"}, "time": {"<2h>"}, "from": {"No Slug"}, "unknown": {"x"}}, &f)
	want := []string{
		"This is not an e-mail address. Enter one such as mary@example.com.",
		"“<2h>” is not a valid span of time, so it was ignored.",
		"Use 1 to 64 lower-case letters, digits and hyphens, such as python-wranglers.",
	}
	if !slices.Equal(said, want) {
		t.Errorf("it says %q", said)
	}
	if (f != filter{Name: "abc"}) {
		t.Errorf("in force is %+v", f)
	}
	for _, odd := range []string{"mary\u2028@example.com", "mary\u200b@example.com", "mary@example.com\u200b"} {
		if said = rules.BindFilters(url.Values{"email": {odd}}, new(filter)); len(said) != 1 {
			t.Errorf("of the address %q it says %q", odd, said)
		}
	}
	if said = rules.BindFilters(url.Values{"name": {""}, "time": {" "}}, new(filter)); said != nil {
		t.Errorf("of empty ones it says %q", said)
	}
}

// TestSentencesOfOneStructGoFirst: a struct may have a sentence of its own for a
// rule that others have too.
func TestSentencesOfOneStructGoFirst(t *testing.T) {
	type content struct {
		Name string   `form:"name" binding:"required,max=200"`
		URL  string   `json:"url,omitempty" binding:"max=4"`
		Tags []string `form:"tags" binding:"dive,max=2"`
	}
	type other struct {
		Name string `form:"name" binding:"required"`
	}
	got := rules.Check(content{URL: "ééééé", Tags: []string{"go", "java"}})
	got = append(got, rules.Check(other{})...)
	var said []string
	for _, f := range got {
		said = append(said, f.Field+" "+f.Rule+": "+f.Text)
	}
	want := []string{
		"name required: Enter a name, for example “Python Accepted Answers”.",
		"url max: This is longer than 4 characters.",
		"tags max: This is longer than 2 characters.",
		"name required: Enter a name.",
	}
	if !slices.Equal(said, want) {
		t.Errorf("got %q", said)
	}
}
