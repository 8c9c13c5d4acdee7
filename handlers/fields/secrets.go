package fields

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/reveal"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
)

// Secret is a signing secret in a form; the partial "secret" shows it.
type Secret struct {
	web.Field
	Number         int
	About          string // the type's own help
	Value          string // unsaved; a saved one never comes back
	Saved, Removed bool
	Generate       bool // one can be generated here
	Generated      bool // left empty, one is generated when the form is saved
	Signs          bool // Sitehooks signs with it
	SetAt, UsedAt  *time.Time
	Reveal         string // path of the question before a saved one is shown
}

// Saved says whether a secret is saved, and when it was set and last used.
type Saved struct {
	Set           bool
	SetAt, UsedAt *time.Time
}

// SecretInput is the input of a form about its signing secrets. Saved ones never
// come back into a form.
type SecretInput struct {
	Secrets [2]string // unsaved
	// Removed says that a saved secret is to be removed by the next save.
	Removed [2]bool
}

// TypedSecrets are the first n secrets that were sent.
func TypedSecrets(n int, form url.Values) (in SecretInput) {
	for i := range n {
		in.Secrets[i] = strings.TrimSpace(form.Get(definition.SecretField(i)))
		in.Removed[i] = form.Get("remove_"+strconv.Itoa(i+1)) != "" && in.Secrets[i] == ""
	}
	return in
}

// Press carries out a button of a secret, such as generate_1: it makes or empties
// a secret, or keeps the saved one after all. A saved one is removed by the next
// save. False: there is no such button.
func (in *SecretInput) Press(do string, secrets int, generate func() string, saved [2]Saved) bool {
	action, number, _ := strings.Cut(do, "_")
	n, err := strconv.Atoi(number)
	i := n - 1
	if err != nil || i < 0 || i >= secrets {
		return false
	}
	switch {
	case action == "generate" && generate != nil:
		in.Secrets[i], in.Removed[i] = generate(), false
	case action == "clear":
		in.Secrets[i], in.Removed[i] = "", saved[i].Set
	case action == "undo":
		if saved[i].Set {
			in.Secrets[i] = "" // which keeps it
		}
		in.Removed[i] = false
	default:
		return false
	}
	return true
}

// Changes are the secrets that differ from the saved ones: nil ones stay, empty
// ones are removed.
func (in *SecretInput) Changes() (changes [2]*string) {
	for i := range in.Secrets {
		if in.Secrets[i] != "" || in.Removed[i] {
			changes[i] = &in.Secrets[i]
		}
	}
	return changes
}

// Fields are the secrets in the form. path is the page of the webhook or source
// that has the saved ones.
func (in *SecretInput) Fields(list []wire.SecretField, saved [2]Saved, path string, faults web.Faults) []Secret {
	secrets := make([]Secret, len(list))
	for i, s := range list {
		id := definition.SecretField(i)
		secrets[i] = Secret{
			Field:  web.Field{ID: id, Label: s.Label, Fault: faults[id], HelpIDs: id + "-help"},
			Number: i + 1, About: s.Help, Value: in.Secrets[i], Removed: in.Removed[i],
			Saved: saved[i].Set, SetAt: saved[i].SetAt, UsedAt: saved[i].UsedAt,
		}
		if saved[i].Set {
			secrets[i].Reveal = reveal.Path(path, strconv.Itoa(i+1))
		}
	}
	return secrets
}
