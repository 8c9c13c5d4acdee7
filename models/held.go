package models

// heldWhy says in words why a webhook cannot send; empty: it can.
func (s *Store) heldWhy(w Webhook, settings Settings) string {
	why := HeldWhy(w, !settings.GenericEnabled && s.needsFeature(w.Type), "")
	if why == "" && s.locked(w) {
		return LockedWhy
	}
	return why
}

// HeldWhy says in words why a webhook that is not deleted cannot send; empty:
// it can. off: its type is switched off. since comes after the state, and may
// be empty.
func HeldWhy(w Webhook, off bool, since string) string {
	switch {
	case w.State == WebhookStopped && w.StateBy != "":
		return "paused" + since + " by " + w.StateBy
	case w.State == WebhookStopped:
		return "paused" + since
	case w.State == WebhookBroken:
		return brokenWords(w, since)
	case off:
		return EnableGenericWebhooks + " is off"
	}
	return ""
}

func brokenWords(w Webhook, since string) string {
	words := "the webhook is broken"
	if since != "" {
		words = "the webhook has been broken" + since
	}
	if w.StateReason != "" {
		words += ": " + w.StateReason
	}
	return words
}
