package follow

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// answerPlace is how far a follower of Apache Answer has got.
type answerPlace struct {
	// Row is the newest row of the log that was read, At when that was.
	Row int64     `json:"row"`
	At  time.Time `json:"at"`
	// Begin and BeginRow are where this follower began; nothing older is reported.
	Begin    time.Time `json:"begin"`
	BeginRow int64     `json:"begin_row"`
	// Accepts is when the log was last asked for answers accepted again, Looked
	// when the posts were last compared with the log.
	Accepts time.Time `json:"accepts"`
	Looked  time.Time `json:"looked"`
	// Waiting has the keys of what nobody may see yet.
	Waiting []string `json:"waiting,omitempty"`
}

func readPlace(text json.RawMessage) (answerPlace, error) {
	var p answerPlace
	if err := json.Unmarshal(text, &p); err != nil || p.Begin.IsZero() {
		return p, &fatalError{"the place stored for this source is not one of a follower of Apache Answer; use another --name"}
	}
	return p, nil
}

func (p answerPlace) write() json.RawMessage {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // numbers, times and strings
	}
	return text
}

// keyed is a key of the waiting list, taken apart.
type keyed struct {
	letter       string // r for a row of the log, else the post's
	id, revision int64  // revision 0: the post itself
}

func readKey(key string) (keyed, error) {
	if len(key) < 2 || strings.IndexByte("rqac", key[0]) < 0 {
		return keyed{}, fmt.Errorf("the place has an unknown key %q", key)
	}
	k := keyed{letter: key[:1]}
	id, revision, edit := strings.Cut(key[1:], ".")
	var err error
	if k.id, err = strconv.ParseInt(id, 10, 64); err == nil && edit {
		k.revision, err = strconv.ParseInt(revision, 10, 64)
	}
	if err != nil {
		return keyed{}, fmt.Errorf("the place has an unknown key %q", key)
	}
	return k, nil
}
