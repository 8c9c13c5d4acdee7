package webhooks

import (
	"fmt"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// filterWarnings say, beside its field, which filter of a form keeps chosen
// activities from ever being reported, because their events have no such mark.
// A form with warnings is saved all the same.
func filterWarnings(f *wire.Format, form webhookForm) web.Faults {
	warnings := web.Faults{}
	if len(form.Events) > definition.EventsMax {
		return warnings
	}
	var chosen, untagged, nowhere []string
	for _, value := range web.Unique(append([]string{}, form.Events...)) {
		o, err := f.Option(value)
		if err != nil {
			continue // a fault of its own
		}
		chosen = append(chosen, o.Label)
		if !o.HasTags() {
			untagged = append(untagged, o.Label)
		}
		if !o.HasCommunity() {
			nowhere = append(nowhere, o.Label)
		}
	}
	if form.TagMode == models.TagsSpecific && len(untagged) > 0 {
		warnings.Add("tags", neverReported(len(chosen), untagged, [2]string{"has no tags", "have no tags"}, "Specific tags is chosen", "All tags"))
	}
	if form.Community != "" && len(nowhere) > 0 {
		warnings.Add("community", neverReported(len(chosen), nowhere, [2]string{"is in no community", "are in no community"}, "a community is chosen", "no community"))
	}
	return warnings
}

// neverReported says which of the chosen activities a filter excludes, why (for
// one, for several), and which choice to make instead.
func neverReported(chosen int, labels []string, why [2]string, filter, instead string) string {
	const most = 5
	if len(labels) == chosen {
		return fmt.Sprintf("This webhook will never fire, because its activities %s. Choose %s, or other activities.", why[1], instead)
	}
	if len(labels) == 1 {
		return fmt.Sprintf("%s %s, so it is never reported while %s.", labels[0], why[0], filter)
	}
	if more := len(labels) - most; more > 1 {
		labels = append(labels[:most], web.Plural(int64(more), "other", "others"))
	}
	return fmt.Sprintf("%s %s, so they are never reported while %s.", wording.List(labels), why[1], filter)
}
