package deliveries

import "time"

// GiveUpReaders sets after how long a reader of an export is given up who takes
// nothing.
func GiveUpReaders(s *Pages, after time.Duration) { s.exports.stalled = after }
