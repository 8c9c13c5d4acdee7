package deliveries

import "time"

// GiveUpReaders sets after how long a client that reads nothing of an export is
// disconnected.
func GiveUpReaders(s *Pages, after time.Duration) { s.exports.stalled = after }
