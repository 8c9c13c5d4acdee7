package wire

import (
	"slices"
	"strings"
)

// ViaHeader names the installations that a notification came through, oldest
// first, with commas between.
const ViaHeader = "Sitehooks-Via"

// MaxVia is how many installations a notification may have come through.
const MaxVia = 8

// JoinVia adds an installation to those that events came through.
func JoinVia(via, own string) string {
	if via == "" {
		return own
	}
	return via + "," + own
}

// ReadVia reads the header of a request. The error, a sentence for people, says
// that it goes round in a loop: it came through this installation before, or
// through MaxVia.
func ReadVia(values []string, own string) (via string, err error) {
	var ids []string
	for id := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if id = strings.TrimSpace(id); id != "" {
			ids = append(ids, id)
		}
	}
	switch {
	case slices.Contains(ids, own):
		return "", Sentence("This is a loop: the notification was sent by this installation and has come back. " +
			"Stop the webhook that sends it here, or the source. If one of the two is a copy of the other's database, give the copy an id of its own: sitehooks id --new.")
	case len(ids) >= MaxVia:
		return "", Sentencef("This looks like a loop: the notification came through %d installations of Sitehooks.", len(ids))
	}
	for _, id := range ids {
		if len(id) > maxViaID || strings.Trim(id, viaCharacters) != "" {
			return "", Sentencef("The header %s has an invalid id.", ViaHeader)
		}
	}
	return strings.Join(ids, ","), nil
}

// An id has 16 characters; others may choose longer ones.
const (
	maxViaID      = 64
	viaCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
)
