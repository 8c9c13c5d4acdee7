package triggers

import (
	"fmt"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// triggerWord is a piece of a sentence, perhaps one to be seen at once.
type triggerWord struct {
	Text string
	Bold bool
}

func plainWords(text string) []triggerWord { return []triggerWord{{Text: text}} }

// matchWords names the parts of the filter that let the event through.
func matchWords(e models.Event, c triggerCase) []triggerWord {
	words := plainWords(optionLabel(c.Format, e.Kind()) + " chosen; ")
	if c.Then.TagMode == models.TagsSpecific {
		words = append(words, commonTags(e.Tags, c.Then.Tags)...)
	} else {
		words = append(words, triggerWord{Text: "accepts all tags"})
	}
	if c.Then.Community != "" {
		words = append(words, triggerWord{Text: "; community "}, triggerWord{c.Communities.Of(e.Location, c.Then.Community), true})
	}
	return words
}

func commonTags(has, wants []string) []triggerWord {
	var common []string
	for _, tag := range has {
		if slices.Contains(wants, tag) {
			common = append(common, tag)
		}
	}
	words := plainWords("tag ")
	if len(common) > 1 {
		words = plainWords("tags ")
	}
	for i, tag := range common {
		switch {
		case i == 0:
		case i == len(common)-1:
			words = append(words, triggerWord{Text: " and "})
		default:
			words = append(words, triggerWord{Text: ", "})
		}
		words = append(words, triggerWord{tag, true})
	}
	return append(words, triggerWord{Text: " in common"})
}

// activityWords says both sides in the words of the webhook's own form.
func activityWords(e models.Event, c triggerCase) string {
	var chosen []string
	for _, value := range c.Then.Events {
		label := value
		for _, o := range c.Format.Options {
			if o.Value == value {
				label = o.Label
			}
		}
		chosen = append(chosen, label)
	}
	if len(chosen) > 6 {
		chosen = append(chosen[:5], web.Plural(int64(len(chosen)-5), "other", "others"))
	}
	return fmt.Sprintf("The event is %s; this webhook reports %s.", optionLabel(c.Format, e.Kind()), web.OrNone(wording.List(chosen), "nothing"))
}

// notOfferedWords says that no activity of the type covers the event. Where one
// covers another system's events of the same name, it says whose.
func notOfferedWords(e models.Event, f *wire.Format) string {
	kind := e.Kind()
	for _, o := range f.Options {
		for _, other := range o.Events {
			if other.Type == kind.Type {
				return fmt.Sprintf("The event is %s from %s; %s webhooks report it only from %s.", kind.Type, wire.System(kind), f.Label, wire.System(other))
			}
		}
	}
	return fmt.Sprintf("The event is %s, which %s webhooks do not report.", kind.Type, f.Label)
}

// optionLabel is the label of a kind of event in the type's form, or the
// event's type when the form does not offer it.
func optionLabel(f *wire.Format, kind models.EventKind) string {
	if o, offered := f.Covering(kind); offered {
		return o.Label
	}
	return kind.Type
}

// clocks shows two times as exactly as it takes to tell them apart: without
// the day when both are of the same one, with milliseconds in the same second.
func clocks(a, b time.Time) (string, string) {
	a, b = a.UTC(), b.UTC()
	layout := "15:04:05"
	switch {
	case a.Truncate(time.Second).Equal(b.Truncate(time.Second)):
		layout = "15:04:05.000"
	case a.Format(time.DateOnly) != b.Format(time.DateOnly):
		layout = "15:04:05 on Jan 2, 2006"
	}
	return a.Format(layout), b.Format(layout)
}
