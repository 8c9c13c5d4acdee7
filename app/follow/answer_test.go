package follow

import (
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/follow/answertest"
)

// TestEveryActivityIsReported writes one of each kind, and compares the events
// in full.
func TestEveryActivityIsReported(t *testing.T) {
	onBoth(t, func(t *testing.T, s *followed) {
		s.follow()
		s.arrived()
		s.Put("tag", answertest.Row{"id": 1, "slug_name": "python"})
		s.Put("tag", answertest.Row{"id": 2, "slug_name": "py", "main_tag_id": 1})
		s.Put("tag", answertest.Row{"id": 3, "slug_name": "go"})
		s.Put("tag", answertest.Row{"id": 4, "slug_name": "old"})
		for i, status := range []int{1, 1, 1, 10} {
			s.Put("tag_rel", answertest.Row{"id": i, "object_id": qid(12), "tag_id": i + 1, "status": status})
		}
		s.Put("user", answertest.Row{"id": 3, "username": "gone", "display_name": "Cid", "status": 10})
		s.question(12, answertest.Row{"vote_count": -1})
		s.answer(13, 12, answertest.Row{"user_id": 3})
		s.comment(14, 12, qid(12), nil)
		s.comment(15, 12, aid(13), nil)
		s.logs(1, "question.asked", qid(12), nil)
		s.logs(2, "answer.answered", aid(13), answertest.Row{"user_id": 3})
		s.logs(3, "question.answered", aid(13), answertest.Row{"user_id": 3})
		s.logs(4, "question.commented", cid(14), answertest.Row{"user_id": 2})
		s.logs(5, "answer.commented", cid(15), answertest.Row{"user_id": 2})
		s.round()
		s.arrived("q12:created", "a13:created", "c14:created", "c15:created")
		s.Set("question", qid(12), "updated_at", s.wall())
		s.Set("answer", aid(13), "updated_at", s.wall())
		s.Set("answer", aid(13), "adopted", 2)
		s.logs(6, "question.edited", qid(12), answertest.Row{"user_id": 2, "revision_id": 345})
		s.logs(7, "answer.edited", aid(13), answertest.Row{"user_id": 3, "revision_id": 346})
		s.logs(8, "answer.accept", aid(13), answertest.Row{"user_id": 1, "trigger_user_id": 2})
		s.logs(9, "answer.accepted", aid(13), answertest.Row{"user_id": 3, "trigger_user_id": 2})
		s.round()
		s.arrived("q12:r345", "a13:r346", "a13:accepted:20261130T120010")
		s.round()
		s.arrived()
		if s.in.again != 0 || s.in.source != "community" {
			t.Errorf("%d came again, of source %q", s.in.again, s.in.source)
		}
		const ann, bob, gone = `{"user_id":1,"display_name":"Ann"}`, `{"user_id":2,"display_name":"Bob"}`, `{"user_id":3,"display_name":"user3"}`
		question := func(body, edited string) string {
			return `"question":{"question_id":12,"title":"How do I test webhooks?",` + body + `"link":"https://q.example/questions/10010000000000012","tags":["python","go"],"score":-1,` +
				`"creation_date":1796040005000,"last_edit_date":` + edited + `,"owner":` + ann + `}`
		}
		for id, want := range map[string]string{
			"q12:created": `"type":"question.created","occurred_at":"2026-11-30T12:00:05.000Z","location":"main","actor":` + ann + `,` + question(`"body":"<p>Really & <b>truly</b></p>",`, "null"),
			"q12:r345": `"type":"question.edited","occurred_at":"2026-11-30T12:00:10.000Z","location":"main","actor":` + bob + `,` +
				question(`"body":"<p>Really & <b>truly</b></p>",`, "1796040010000"),
			"a13:created": `"type":"answer.created","occurred_at":"2026-11-30T12:00:05.000Z","location":"main","actor":` + gone + `,` + question("", "null") +
				`,"answer":{"answer_id":13,"body":"<p>So</p>","link":"https://q.example/questions/10010000000000012/10020000000000013","score":0,"is_accepted":false,` +
				`"creation_date":1796040005000,"last_edit_date":null,"owner":` + gone + `}`,
			"a13:accepted:20261130T120010": `"type":"answer.accepted","occurred_at":"2026-11-30T12:00:10.000Z","location":"main","actor":` + bob + `,` + question("", "1796040010000") +
				`,"answer":{"answer_id":13,"body":"<p>So</p>","link":"https://q.example/questions/10010000000000012/10020000000000013","score":0,"is_accepted":true,` +
				`"creation_date":1796040005000,"last_edit_date":1796040010000,"owner":` + gone + `}`,
			"c14:created": `"type":"comment.created","occurred_at":"2026-11-30T12:00:05.000Z","location":"main","actor":` + bob + `,` + question("", "null") +
				`,"comment":{"comment_id":14,"body":"<p>Why?</p>","link":"https://q.example/questions/10010000000000012?commentId=10070000000000014","score":0,"creation_date":1796040005000,"owner":` + bob + `}`,
			"c15:created": `"type":"comment.created","occurred_at":"2026-11-30T12:00:05.000Z","location":"main","actor":` + bob + `,` + question("", "null") +
				`,"answer":{"answer_id":13,"body":"","link":"https://q.example/questions/10010000000000012/10020000000000013","score":0,"is_accepted":false,` +
				`"creation_date":1796040005000,"last_edit_date":null,"owner":` + gone + `},` +
				`"comment":{"comment_id":15,"body":"<p>Why?</p>","link":"https://q.example/questions/10010000000000012/10020000000000013?commentId=10070000000000015","score":0,"creation_date":1796040005000,"owner":` + bob + `}`,
		} {
			id = "answer:community:" + id
			if want = `{"id":"` + id + `",` + want + `}`; s.in.lines[id] != want {
				t.Errorf("%s:\n got %s\nwant %s", id, s.in.lines[id], want)
			}
		}
	})
}

// TestWhatNobodyMaySeeWaits until its review has passed, or it is shown again. A
// new follower goes on waiting.
func TestWhatNobodyMaySeeWaits(t *testing.T) {
	onBoth(t, func(t *testing.T, s *followed) {
		s.follow()
		s.question(1, answertest.Row{"status": 11})
		s.question(2, answertest.Row{"show": 2})
		s.question(3, answertest.Row{"status": 10})
		s.question(4, nil)
		s.answer(5, 4, answertest.Row{"status": 11})
		s.comment(6, 4, aid(5), nil)
		s.comment(7, 4, qid(4), answertest.Row{"status": 11})
		s.answer(8, 3, nil) // to a deleted question
		s.question(9, answertest.Row{"status": 11})
		for i, id := range []int64{qid(1), qid(2), qid(3), qid(4), qid(9)} {
			s.logs(int64(i+1), "question.asked", id, nil)
		}
		s.logs(6, "answer.answered", aid(5), nil)
		s.logs(7, "answer.commented", cid(6), nil)
		s.logs(8, "question.commented", cid(7), nil)
		s.logs(9, "answer.answered", aid(8), nil)
		s.logs(10, "question.asked", qid(100), nil) // removed for good
		s.logs(11, "answer.accept", aid(5), nil)
		s.round()
		s.arrived("q4:created")
		s.Set("question", qid(1), "status", 1)
		s.Set("answer", aid(5), "status", 1)
		s.Set("question", qid(9), "status", 10)
		s.Set("activity", 11, "cancelled", 1)
		s.round()
		s.arrived("q1:created", "a5:created", "c6:created")
		s.follow() // another process
		s.Set("question", qid(2), "show", 1)
		s.Set("comment", cid(7), "status", 1)
		s.Set("question", qid(9), "status", 1) // a deleted one is not reported any more
		s.round()
		s.arrived("q2:created", "c7:created")
		s.question(20, answertest.Row{"status": 11})
		s.logs(20, "question.asked", qid(20), nil)
		s.round()
		s.later(longestWait)
		s.Set("question", qid(20), "status", 1)
		s.round()
		s.arrived()
		if waiting := len(place(t, s).Waiting); waiting != 0 {
			t.Errorf("%d wait", waiting)
		}
	})
}

func place(t *testing.T, s *followed) answerPlace {
	t.Helper()
	p, err := readPlace(s.f.place)
	ok(t, err)
	return p
}

// TestAcceptedAnew: the log's row keeps its id, so it is found by its time.
func TestAcceptedAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, s *followed) {
		s.follow()
		s.question(1, nil)
		s.answer(2, 1, answertest.Row{"adopted": 2})
		s.logs(1, "answer.accept", aid(2), nil)
		s.round()
		s.arrived("a2:accepted:20261130T120005")
		s.Set("activity", 1, "cancelled", 1)
		s.Set("activity", 1, "updated_at", s.wall())
		s.later(2 * time.Minute)
		s.arrived()
		s.Set("activity", 1, "cancelled", 0)
		s.Set("activity", 1, "updated_at", s.wall())
		s.round()
		s.later(acceptsEvery)
		s.arrived("a2:accepted:20261130T120215")
		s.later(acceptsEvery)
		s.arrived()
		if s.in.again != 0 {
			t.Errorf("%d came again", s.in.again)
		}
	})
}

// TestRowsThatTheLogLostAreFound by the posts, which are there.
func TestRowsThatTheLogLostAreFound(t *testing.T) {
	onBoth(t, func(t *testing.T, s *followed) {
		s.question(1, nil) // before this follower began
		s.later0(time.Minute)
		s.follow()
		s.question(2, nil)
		s.logs(1, "question.asked", qid(2), nil)
		s.question(3, nil)
		s.answer(4, 3, nil)
		s.comment(5, 3, aid(4), nil)
		s.comment(6, 3, qid(3), nil)
		s.question(7, answertest.Row{"status": 11})
		s.question(8, answertest.Row{"status": 10})
		s.round()
		s.arrived("q2:created")
		s.later(10 * time.Minute)
		s.arrived("q3:created", "a4:created", "c5:created", "c6:created")
		s.follow() // what waits is known to another process
		s.Set("question", qid(7), "status", 1)
		s.round()
		s.arrived("q7:created")

		// Edits: of one the row is lost, of one it is there, and of one a further
		// revision waits for review.
		s.Set("question", qid(2), "updated_at", s.wall())
		s.Set("question", qid(2), "last_edit_user_id", 2)
		s.Set("question", qid(2), "revision_id", 20)
		s.Set("question", qid(3), "updated_at", s.wall())
		s.Set("question", qid(3), "revision_id", 30)
		s.logs(2, "question.edited", qid(3), answertest.Row{"revision_id": 30})
		s.Set("answer", aid(4), "updated_at", s.wall())
		s.Set("answer", aid(4), "revision_id", 41)
		s.logs(3, "answer.edited", aid(4), answertest.Row{"revision_id": 40})
		s.round()
		s.arrived("q3:r30", "a4:r40")
		s.later(10 * time.Minute)
		s.arrived("q2:r20")
		if e := s.in.events["answer:community:q2:r20"]; e.Actor.DisplayName != "Bob" || e.Type != "question.edited" {
			t.Errorf("%+v", e)
		}
		// A row that comes late after all has the same id.
		s.logs(4, "question.asked", qid(3), nil)
		s.logs(5, "question.edited", qid(2), answertest.Row{"revision_id": 20})
		s.later(10 * time.Minute)
		s.arrived()
	})
}

// later0 lets time pass before there is a follower.
func (s *followed) later0(d time.Duration) { s.now = s.now.Add(d) }

// TestAPostIsGivenTimeForItsRow: one that is younger than a minute may be in the
// memory of the site.
func TestAPostIsGivenTimeForItsRow(t *testing.T) {
	s := newFollowed(t, "sqlite")
	s.follow()
	s.later0(10 * time.Minute)
	s.question(1, nil)
	s.round()
	s.arrived()
	s.later(10 * time.Minute)
	s.arrived("q1:created")
}

// TestRowsWithLowerIDsThatComeLaterAreFound, as transactions that end in another
// order write them; rows of long ago are not reported again.
func TestRowsWithLowerIDsThatComeLaterAreFound(t *testing.T) {
	onBoth(t, func(t *testing.T, s *followed) {
		s.follow()
		for n := int64(1); n <= 4; n++ {
			s.question(n, nil)
		}
		s.logs(300, "question.asked", qid(1), nil)
		s.round()
		s.arrived("q1:created")
		s.logs(299, "question.asked", qid(2), nil)
		s.logs(101, "question.asked", qid(3), nil)
		s.logs(100, "question.asked", qid(4), nil) // outside the overlap
		s.round()
		s.arrived("q2:created", "q3:created")
		s.follow()
		if s.in.again != 3 {
			t.Errorf("a new follower repeats %d", s.in.again)
		}
		s.later(2 * time.Hour)
		s.arrived()
		s.follow()
		if s.in.again != 3 {
			t.Errorf("after hours a new follower repeats %d", s.in.again-3)
		}
	})
}

// TestWhereAFollowerBegins: now, or at a time; and then where it was.
func TestWhereAFollowerBegins(t *testing.T) {
	onBoth(t, func(_ *testing.T, s *followed) {
		for n := int64(1); n <= 3; n++ {
			s.question(n, nil)
			s.logs(n, "question.asked", qid(n), nil)
			s.later0(time.Hour)
		}
		s.question(4, nil) // its row was lost
		s.later0(time.Hour)
		s.o.From = start.Add(time.Hour)
		s.follow()
		s.later(time.Minute)
		s.arrived("q2:created", "q3:created", "q4:created")
		s.o.From = start // it has a place already
		s.follow()
		s.arrived()
	})
	s := newFollowed(t, "sqlite")
	s.question(1, nil)
	s.logs(1, "question.asked", qid(1), nil)
	s.follow()
	s.later(11 * time.Minute)
	s.arrived()
}

// TestALongLogIsReadInParts, and the place says how far behind it is.
func TestALongLogIsReadInParts(t *testing.T) {
	s := newFollowed(t, "sqlite")
	s.o.From = start
	const n = 1600
	for i := int64(1); i <= n; i++ {
		s.question(i, nil)
		s.logs(i, "question.asked", qid(i), nil)
	}
	s.later0(time.Hour)
	s.follow()
	if got := len(s.in.ids()); got != n || s.in.again != 0 {
		t.Errorf("%d arrived, %d again", got, s.in.again)
	}
	if s.in.puts < 4 || s.in.field("behind_seconds") != 0.0 {
		t.Errorf("%d reports, behind %v", s.in.puts, s.in.field("behind_seconds"))
	}
}

// TestTimesAreInTheSitesZone, and a wrong zone is noticed.
func TestTimesAreInTheSitesZone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *followed) {
		berlin, err := time.LoadLocation("Europe/Berlin")
		ok(t, err)
		s.o.Timezone = berlin
		s.follow()
		at := s.now.In(berlin).Format(wallLayout)
		s.question(1, answertest.Row{"created_at": at})
		s.logs(1, "question.asked", qid(1), answertest.Row{"created_at": at})
		s.round()
		if e := s.in.events["answer:community:q1:created"]; e.OccurredAt != "2026-11-30T12:00:05.000Z" || e.Question.CreationDate != 1796040005000 {
			t.Errorf("%+v", e)
		}
		if strings.Contains(s.log.String(), "--timezone") {
			t.Errorf("warned: %s", &s.log)
		}
		s.question(2, nil)
		s.logs(2, "question.asked", qid(2), nil) // in UTC
		s.round()
		if n := strings.Count(s.log.String(), "--timezone"); n != 1 {
			t.Errorf("warned %d times: %s", n, &s.log)
		}
	})
}
