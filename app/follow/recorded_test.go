package follow

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/follow/answertest"
)

// TestRecordedRuns reports what was recorded of a real Apache Answer on each of
// its databases.
func TestRecordedRuns(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres", "mariadb"} {
		t.Run(kind, func(t *testing.T) {
			s := newFollowed(t, "sqlite")
			for _, n := range activityNumbers {
				s.Remove("config", int64(n))
			}
			replay := s.Replay(answertest.Recorded(t, kind), func() time.Time { return s.now })
			zone, err := time.LoadLocation(replay.ZoneName())
			ok(t, err)
			s.o.Timezone = zone
			s.follow()
			for _, step := range replay.Steps[1:] {
				replay.Apply(step)
				s.round()
				s.later(2 * time.Minute) // for answers accepted again
				if len(step.Arrives) > len(s.in.ids()) {
					s.later(10 * time.Minute) // for rows that the log lost
				}
				var got []string
				for _, id := range s.in.ids() {
					e := s.in.events[id]
					of, what, _ := strings.Cut(e.Type, ".")
					item := fmt.Sprintf("%s %s %d", of, what, e.Question.QuestionID)
					if e.Answer != nil && e.Comment == nil {
						item += fmt.Sprintf(" %d", e.Answer.AnswerID)
					} else {
						item += " 0"
					}
					if e.Comment != nil {
						item += fmt.Sprintf(" %d", e.Comment.CommentID)
					} else {
						item += " 0"
					}
					got = append(got, item)
				}
				s.in.order = nil
				slices.Sort(got)
				want := slices.Sorted(slices.Values(step.Arrives))
				if !slices.Equal(got, want) {
					t.Fatalf("%s: arrived %q, want %q", step.Name, got, want)
				}
			}
			if !strings.HasPrefix(s.in.events["answer:community:q20:created"].Question.Link, "https://answer.example/questions/1001000000000002") {
				t.Errorf("%+v", s.in.events["answer:community:q20:created"].Question)
			}
		})
	}
}
