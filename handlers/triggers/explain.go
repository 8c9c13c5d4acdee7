package triggers

import (
	"fmt"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// triggerCase is a webhook whose match with an event is to be explained.
type triggerCase struct {
	// Then is the webhook as it was when the event was matched.
	Then models.WebhookVersion
	// Webhook is the webhook as it is now, deleted or not.
	Webhook models.Webhook
	// Format is that of Then; nil: no such type is known any more.
	Format *wire.Format
	// Here and There are the names of the event's location and of Then's.
	Here, There string
	Communities web.CommunityNames
}

// explanation says why an event matched a webhook or not.
type explanation struct {
	Match bool
	// Absent says that the webhook was not there to be asked: it is younger
	// than the event, or came to the location later.
	Absent bool
	Class  string // the reason in two words, said first; empty for a match
	Words  []triggerWord
	// Fix names the change that helps later events, Field its field. Both are
	// empty when nothing has to change, or no change helps.
	Fix, Field string
	// Never says that no later event of this kind can match.
	Never bool
}

// Text is the whole reason as plain text.
func (w explanation) Text() string {
	var b strings.Builder
	if w.Class != "" {
		b.WriteString(w.Class + ". ")
	}
	for _, word := range w.Words {
		b.WriteString(word.Text)
	}
	return b.String()
}

// explainTrigger decides by the one rule whether the event matches, and puts
// the reason in words. It only calculates.
func explainTrigger(e models.Event, c triggerCase) explanation {
	if c.Format == nil {
		return explanation{Class: "Type unknown", Words: plainWords(fmt.Sprintf(
			"The type %q no longer exists, so its activities are not known.", c.Then.Type))}
	}
	kinds := c.Format.EventKinds(c.Then.Events)
	reason := models.Match(c.Then.Filter(kinds, c.Webhook), e.MatchSubject())
	switch reason.Code {
	case models.ReasonMatch:
		return explanation{Match: true, Words: matchWords(e, c)}
	case models.ReasonLocation:
		return explanation{
			Absent: true, Class: "Location differs", Fix: "Edit its location", Field: "location",
			Words: plainWords(fmt.Sprintf("The event is from %s; this webhook was on %s at the time.", c.Here, c.There)),
		}
	case models.ReasonCreatedLater:
		made, received := clocks(c.Webhook.CreatedAt, e.ReceivedAt)
		return explanation{
			Absent: true, Class: "Created later",
			Words: plainWords(fmt.Sprintf("The event was received at %[2]s; this webhook was created at %[1]s.", made, received)),
		}
	case models.ReasonActivity:
		if _, offered := c.Format.Covering(e.Kind()); !offered {
			return explanation{Class: "Activity not offered", Never: true, Words: plainWords(notOfferedWords(e, c.Format))}
		}
		return explanation{
			Class: "Activity not chosen", Fix: "Edit its activities", Field: "events",
			Words: plainWords(activityWords(e, c)),
		}
	case models.ReasonTags:
		return explanation{
			Class: "Tags differ", Fix: "Edit its tags", Field: "tags",
			Words: plainWords(fmt.Sprintf("The event has %s; this webhook requires %s.", web.OrNone(strings.Join(e.Tags, ", "), "no tags"), web.ListOr(c.Then.Tags))),
		}
	case models.ReasonCommunity:
		return explanation{
			Class: "Community differs", Fix: "Edit its community", Field: "community",
			Words: plainWords(fmt.Sprintf("The event is in %s; this webhook requires %s.",
				web.OrNone(c.Communities.Of(e.Location, e.Community), "no community"), c.Communities.Of(e.Location, c.Then.Community))),
		}
	case models.ReasonItself:
		return explanation{
			Class: "About itself",
			Words: plainWords("The event reports that this webhook broke. A webhook never reports its own failure; use another webhook of the location."),
		}
	default:
		return explanation{Class: "Did not match", Words: plainWords(reason.Sentence())}
	}
}
