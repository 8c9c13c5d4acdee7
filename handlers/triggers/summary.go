package triggers

import (
	"fmt"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

func triggerTitle(e models.Event) string {
	return web.Capitalized(wire.EventWords(e.Type)) + ": " + web.OrNone(wording.Cut(e.Title, 300), web.OrNone(e.Subject, "no title"))
}

// triggerSummary says in a sentence which webhooks the event reached.
func triggerSummary(p *triggerEventPage) string {
	matched := int64(len(p.Matched))
	all := matched
	for _, r := range p.Unmatched {
		if !r.Why.Absent {
			all++
		}
	}
	did, didNot := "matched", "did not match"
	if p.Waiting() {
		did, didNot = "would match now", "would not match now"
	}
	tally := triggerTally(p.Matched)
	var text string
	switch {
	case all == 0 && len(p.Unmatched) > 0:
		return p.Location + " had no webhooks then, so nothing was sent."
	case all == 0:
		return p.Location + " has no webhooks, so nothing was sent."
	case all == 1 && matched == 0:
		return fmt.Sprintf("The only webhook of %s %s.", p.Location, didNot)
	case all == 1 && len(tally) == 1:
		return fmt.Sprintf("1 webhook %s and%s.", did, strings.TrimPrefix(tally[0], "1"))
	case all == 1:
		return fmt.Sprintf("The only webhook of %s %s.", p.Location, did)
	case matched == 0:
		return fmt.Sprintf("None of the %s webhooks of %s %s.", wording.Count(all), p.Location, did)
	case matched == all:
		text = fmt.Sprintf("All %s webhooks of %s %s.", wording.Count(all), p.Location, did)
	default:
		text = fmt.Sprintf("%s of the %s webhooks of %s %s.", wording.Count(matched), wording.Count(all), p.Location, did)
	}
	if len(tally) > 0 {
		text += " " + wording.List(tally) + "."
	}
	return text
}

// triggerTally counts the outcomes in words: 1 received it, 2 are held.
func triggerTally(matched []triggerResult) []string {
	counts := map[string]int64{}
	for _, m := range matched {
		counts[m.Outcome]++
	}
	var tally []string
	for _, o := range []struct{ outcome, one, many string }{
		{models.DeliveryDelivered, "received it", "received it"},
		{models.DeliveryPending, "is about to receive it", "are about to receive it"},
		{models.DeliveryRetrying, "is being retried", "are being retried"},
		{models.StateHeld, "is held", "are held"},
		{models.DeliveryFailed, "failed", "failed"},
		{models.DeliveryDropped, "was dropped", "were dropped"},
	} {
		if n := counts[o.outcome]; n > 0 {
			tally = append(tally, web.Plural(n, o.one, o.many))
		}
	}
	return tally
}
