package config

import (
	"fmt"
	"strings"
)

// Fault is an error in one variable.
type Fault struct {
	Variable string
	Text     string // the fault as a sentence; never a secret
	Example  string // a right value; empty: the text names it
}

func (f Fault) Error() string {
	if f.Example == "" {
		return f.Variable + " " + f.Text
	}
	return fmt.Sprintf("%s %s; for example %s=%s", f.Variable, f.Text, f.Variable, f.Example)
}

// Faults are all that is wrong with an environment, in the order of the
// documentation.
type Faults []Fault

// Error returns one line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

func (f *Faults) add(variable, example, format string, args ...any) {
	*f = append(*f, Fault{variable, fmt.Sprintf(format, args...), example})
}

// shown quotes a value that is no secret, on one line and not too long for it.
func shown(value string) string {
	const most = 60
	if r := []rune(value); len(r) > most {
		value = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", value)
}

// splitList splits a comma-separated value; spaces around entries and empty
// entries are nothing.
func splitList(value string) []string {
	var entries []string
	for entry := range strings.SplitSeq(value, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			entries = append(entries, entry)
		}
	}
	return entries
}
