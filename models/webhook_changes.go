package models

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// listedMax is how many names of a list the audit log has, since a webhook may
// have hundreds of tags.
const listedMax = 20

// NothingChanged is WebhookVersion.Changes of a save that changed nothing.
const NothingChanged = "nothing changed"

// changes describes the changes of a save, old → new. Of secrets, header
// values, the values of options and the hidden parts of a target it says only
// that they changed.
func (x *Webhooks) changes(old, w Webhook, in WebhookInput) string {
	parts := filterChanges(old, w)
	// A value that cannot be opened was entered anew or is kept: there is
	// nothing to compare with.
	before, err := x.before(old, in)
	switch {
	case old.URLShown != w.URLShown:
		parts = append(parts, "target changed from "+old.URLShown+" to "+w.URLShown)
	case err == nil && before.URL != in.URL:
		parts = append(parts, "what is not shown of the target changed")
	}
	parts = append(parts, optionChanges(old.Options, w.Options)...)
	if in.Headers != nil && err == nil {
		parts = append(parts, headerChanges(before.Headers, in.Headers)...)
	}
	for i, c := range in.Secrets {
		if sealed, _, _ := old.secretSlot(i); c.did(*sealed != "") != "" {
			parts = append(parts, fmt.Sprintf("signing secret %d %s", i+1, c.did(*sealed != "")))
		}
	}
	return cmp.Or(strings.Join(parts, "; "), NothingChanged)
}

// before are the old sealed values of a webhook, decrypted.
func (x *Webhooks) before(old Webhook, in WebhookInput) (Opened, error) {
	if in.Before != nil {
		return *in.Before, nil
	}
	return x.Open(old)
}

func filterChanges(old, w Webhook) (parts []string) {
	change := func(what, from, to string) {
		if from != to {
			parts = append(parts, what+" "+from+" → "+to)
		}
	}
	change("name", fmt.Sprintf("%q", old.Name), fmt.Sprintf("%q", w.Name))
	change("key", cmp.Or(old.Key, "none"), cmp.Or(w.Key, "none"))
	change("location", old.Location, w.Location)
	change("community", cmp.Or(old.Community, "any"), cmp.Or(w.Community, "any"))
	parts = append(parts, listChanges("events", old.Events, w.Events)...)
	change("tags", old.TagMode, w.TagMode)
	return append(parts, listChanges("tags", old.Tags, w.Tags)...)
}

// listChanges names the added and removed values.
func listChanges(what string, old, now []string) (parts []string) {
	without := func(list, others []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(one string) bool { return slices.Contains(others, one) })
	}
	if came := without(now, old); len(came) > 0 {
		parts = append(parts, what+" added: "+shortList(came))
	}
	if went := without(old, now); len(went) > 0 {
		parts = append(parts, what+" removed: "+shortList(went))
	}
	return parts
}

func shortList(names []string) string {
	if more := len(names) - listedMax; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:listedMax], ", "), more)
	}
	return strings.Join(names, ", ")
}

func optionChanges(old, now map[string]string) []string {
	changed := map[string]bool{}
	for _, one := range []map[string]string{old, now} {
		for key := range one {
			if old[key] != now[key] {
				changed[key] = true
			}
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return []string{"options changed: " + shortList(slices.Sorted(maps.Keys(changed)))}
}

// headerChanges names headers and tells no value of them.
func headerChanges(old, now []Header) []string {
	was, is := headerValues(old), headerValues(now)
	parts := listChanges("headers", slices.Sorted(maps.Keys(was)), slices.Sorted(maps.Keys(is)))
	var other []string
	for name, values := range is {
		if then, there := was[name]; there && !slices.Equal(then, values) {
			other = append(other, name)
		}
	}
	if len(other) > 0 {
		slices.Sort(other)
		parts = append(parts, "header values changed: "+shortList(other))
	}
	return parts
}

func headerValues(headers []Header) map[string][]string {
	values := map[string][]string{}
	for _, h := range headers {
		values[h.Name] = append(values[h.Name], h.Value)
	}
	return values
}

// did is the change to a secret, in a word; empty: none.
func (c SecretChange) did(had bool) string {
	switch {
	case c.Set != "" && had:
		return "replaced"
	case c.Set != "":
		return "set"
	case c.Clear && had:
		return "removed"
	}
	return ""
}
