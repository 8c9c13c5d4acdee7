package triggers

import (
	"fmt"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/web"

	"github.com/sitehooks/sitehooks/models"
)

func triggerTitle(e models.Event) string {
	return web.Capitalized(web.EventWords(e.Type)) + ": " + web.OrNone(web.Cut(e.Title, 300), web.OrNone(e.Subject, "no title"))
}

// triggerSummary says in a sentence what came of the event.
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
		did, didNot = "would match as it is now", "would not match as it is now"
	}
	var text string
	switch {
	case all == 0 && len(p.Unmatched) > 0:
		return p.Location + " had no webhooks then, so nobody was told."
	case all == 0:
		return p.Location + " has no webhooks, so nobody was told."
	case all == 1 && matched == 0:
		return fmt.Sprintf("The only webhook of %s %s.", p.Location, didNot)
	case all == 1:
		text = fmt.Sprintf("The only webhook of %s %s.", p.Location, did)
	case matched == 0:
		return fmt.Sprintf("None of the %s webhooks of %s %s.", web.Count(all), p.Location, strings.Replace(did, "it is", "they are", 1))
	case matched == all:
		text = fmt.Sprintf("All %s webhooks of %s %s.", web.Count(all), p.Location, strings.Replace(did, "it is", "they are", 1))
	default:
		text = fmt.Sprintf("%s of the %s webhooks of %s %s.", web.Count(matched), web.Count(all), p.Location, strings.Replace(did, "it is", "they are", 1))
	}
	if tally := triggerTally(p.Matched); len(tally) > 0 {
		text += " " + web.JoinWords(tally) + "."
	}
	return text
}

// triggerTally counts the outcomes in words: 1 has it, 2 are held.
func triggerTally(matched []triggerResult) []string {
	counts := map[string]int64{}
	for _, m := range matched {
		counts[m.Outcome]++
	}
	var tally []string
	for _, o := range []struct{ outcome, one, many string }{
		{models.DeliveryDelivered, "has it", "have it"},
		{models.DeliveryPending, "is about to get it", "are about to get it"},
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
