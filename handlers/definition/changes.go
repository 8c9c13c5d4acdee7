package definition

import (
	"maps"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/models"
)

// Reduce leaves in the input only what differs from the saved webhook, and names
// the fields that do: FieldTags for tags and their mode, FieldOptions for all
// options. Activities and headers in another order are the same. Of a new
// webhook it names the fields that are not empty.
func (w *Checked) Reduce() (changed []string) {
	saved, in := Saved{}, &w.Input
	if w.Saved != nil {
		saved = *w.Saved
	}
	if sameWords(in.Events, saved.Events) {
		in.Events = saved.Events
	}
	headers := sameHeaders(w.Effective.Headers, saved.Opened.Headers)
	if headers {
		in.Headers = nil
	}
	for _, field := range []struct {
		name string
		same bool
	}{
		{FieldKey, in.Key == saved.Key},
		{FieldType, in.Type == saved.Type},
		{FieldName, in.Name == saved.Name},
		{FieldLocation, in.Location == saved.Location},
		{FieldEvents, slices.Equal(in.Events, saved.Events)},
		{FieldTags, in.TagMode == saved.TagMode && slices.Equal(in.Tags, saved.Tags) || w.Saved == nil && in.TagMode == models.TagsAll},
		{FieldCommunity, in.Community == saved.Community},
		{FieldURL, in.URL == saved.Opened.URL},
		{FieldHeaders, headers},
		{FieldOptions, maps.Equal(in.Options, saved.Options)},
		{SecretField(0), KeepSame(&in.Secrets[0], saved.Opened.Secrets[0])},
		{SecretField(1), KeepSame(&in.Secrets[1], saved.Opened.Secrets[1])},
	} {
		if !field.same {
			changed = append(changed, field.name)
		}
	}
	return changed
}

// KeepSame makes a change of a secret that has the saved value a change of nothing, and
// tells whether it is one.
func KeepSame(change *models.SecretChange, saved string) bool {
	if change.Set == saved || change.Clear && change.Set == "" && saved == "" {
		*change = models.SecretChange{}
	}
	return *change == models.SecretChange{}
}

func sameWords(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func sameHeaders(a, b []models.Header) bool {
	sorted := func(list []models.Header) []models.Header {
		list = slices.Clone(list)
		for i := range list {
			list[i].Name = strings.ToLower(list[i].Name)
		}
		slices.SortFunc(list, func(a, b models.Header) int { return strings.Compare(a.Name, b.Name) })
		return list
	}
	return slices.Equal(sorted(a), sorted(b))
}
