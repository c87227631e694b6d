package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/relock-project/relock/rotation"
)

// A Store is the Ledger over a Shelf, and knows the four steps of a rotation that Secrets Manager runs by itself:
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html. It lives as long as one
// invocation.
//
// Pending is what the Ledger derives. AWSPENDING only says which version a rotation of the service's own waits for; that
// version holds the candidate's bytes, under the candidate's own label or as a copy of it.
type Store struct {
	*rotation.Ledger
	shelf *Shelf
}

var _ rotation.Stepper = (*Store)(nil)

// NewStore is NewShelf as a rotation.Store.
func NewStore(cfg Config, region string) (*Store, error) {
	shelf, err := NewShelf(cfg, region)
	if err != nil {
		return nil, err
	}
	return &Store{shelf: shelf, Ledger: &rotation.Ledger{
		Shelf: shelf, Slots: slots, CompactAt: compactAt, MaxBytes: maxBytes,
		// A name says whether it is a baseline's, since that has no value of our making. A label is put only where it is
		// nowhere, so nothing random is needed.
		Suffix: func() string { return "0" },
	}}, nil
}

// Admit implements rotation.Stepper.
func (s *Store) Admit(ctx context.Context, secret string, req rotation.Request) (rotation.Admission, error) {
	st, err := s.shelf.look(ctx, secret)
	if err != nil {
		return rotation.Admission{}, fmt.Errorf("describe the secret %q: %w", secret, err)
	}
	if req.Step == "" {
		if st.enabled && req.Action == rotation.Rotate && !req.DryRun {
			return rotation.Admission{}, fmt.Errorf("%w: Secrets Manager rotates the secret %q by itself: aws secretsmanager rotate-secret --secret-id %s begins a rotation, and resume goes on with one",
				rotation.ErrConfig, secret, secret)
		}
		return rotation.Admission{}, nil
	}
	stages := st.stages[req.Token]
	switch {
	case req.Secret != "" && req.Secret != secret && req.Secret != st.arn && req.Secret != st.name:
		return rotation.Admission{}, fmt.Errorf("%w: the event names the secret %q, this function is for RELOCK_SECRET=%s: an event cannot choose another", rotation.ErrConfig, req.Secret, secret)
	case !st.enabled:
		return rotation.Admission{}, fmt.Errorf("%w: rotation is not enabled for the secret %q", rotation.ErrConfig, secret)
	case slices.Contains(stages, labelCurrent):
		return rotation.Admission{Done: "this rotation's version is current already"}, nil
	case len(stages) == 0:
		return rotation.Admission{}, fmt.Errorf("the secret %q has no version %s: this rotation is over or was never begun: %w", secret, req.Token, rotation.ErrConflict)
	case !slices.Contains(stages, labelPending) && (req.Step != rotation.StepCreate || st.labels[labelPending] != ""):
		// A create that died may have lost it by its put; Fill puts it back.
		return rotation.Admission{}, fmt.Errorf("version %s of the secret %q is not AWSPENDING: this rotation was abandoned: %w", req.Token, secret, rotation.ErrConflict)
	}
	s.shelf.token, s.shelf.proof = req.Token, req.Proof
	return s.admitStep(ctx, secret, req)
}

// admitStep admits a step of the rotation that the service waits for, by what its version holds.
func (s *Store) admitStep(ctx context.Context, secret string, req rotation.Request) (rotation.Admission, error) {
	mine, err := s.filled(ctx, secret, req.Step)
	if err != nil {
		return rotation.Admission{}, err
	}
	if mine == nil {
		switch req.Step {
		case rotation.StepCreate:
			return rotation.Admission{}, nil
		case rotation.StepTest:
			return rotation.Admission{TestAlone: true}, nil
		}
		return rotation.Admission{}, fmt.Errorf("version %s of the secret %q has no value, the step create comes first: %w", req.Token, secret, rotation.ErrConflict)
	}
	history, err := s.History(ctx, secret)
	if err != nil {
		return rotation.Admission{}, fmt.Errorf("read the secret: %w", err)
	}
	kept := slices.IndexFunc(history, func(v rotation.Version) bool { return v.SamePassword(*mine) })
	switch {
	case kept < 0 && req.Step == rotation.StepCreate:
		return rotation.Admission{}, nil // an earlier try got no further than this
	case kept < 0:
		return rotation.Admission{}, fmt.Errorf("the value of version %s of the secret %q is no generation yet, the step create comes first: %w", req.Token, secret, rotation.ErrConflict)
	case history[kept].Stage == rotation.Pending:
		return rotation.Admission{}, nil
	case history[kept].Stage == rotation.Current:
		return s.admitCurrent(ctx, secret, req)
	}
	// Something newer took its place. The service begins no other rotation while AWSPENDING is here, and nothing is lost
	// without it: the generation has a label of its own.
	st, err := s.shelf.look(ctx, secret)
	if err == nil && st.labels[labelPending] == req.Token {
		err = s.shelf.moved(ctx, secret, labelPending, "", req.Token)
	}
	return rotation.Admission{}, errors.Join(fmt.Errorf("generation %d, which version %s of the secret %q holds, has been overtaken; AWSPENDING is taken off it, so that the next rotation can begin: %w",
		history[kept].Generation, req.Token, secret, rotation.ErrConflict), err)
}

// admitCurrent answers a step whose version has the password that is current already: it is a copy that the service made to
// try the step test alone, or resume has ended the rotation under the candidate's own version. Then only the label is
// missing.
func (s *Store) admitCurrent(ctx context.Context, secret string, req rotation.Request) (rotation.Admission, error) {
	switch req.Step {
	case rotation.StepTest:
		return rotation.Admission{TestAlone: true}, nil
	case rotation.StepFinish:
		st, err := s.shelf.look(ctx, secret)
		if err == nil {
			err = s.shelf.makeCurrent(ctx, secret, req.Token, st.labels[labelCurrent])
		}
		if err != nil {
			return rotation.Admission{}, fmt.Errorf("make version %s of the secret %q current: %w", req.Token, secret, err)
		}
	}
	return rotation.Admission{Done: "the password is current already"}, nil
}

// filled returns what the token's version holds, or nil. After the step create, a value that is not there may only not be
// seen yet.
func (s *Store) filled(ctx context.Context, secret string, step rotation.Step) (*rotation.Version, error) {
	var mine *rotation.Version
	err := s.shelf.until(ctx, func() (bool, error) {
		found, err := s.shelf.get(ctx, secret, "", s.shelf.token)
		if errors.Is(err, rotation.ErrNotFound) {
			return step == rotation.StepCreate, nil
		}
		if err != nil {
			return false, fmt.Errorf("read the version %s of the secret %q: %w", s.shelf.token, secret, err)
		}
		v, err := rotation.DecodeVersion(found.value)
		mine = &v
		return true, err
	})
	if errors.Is(err, errUnseen) && ctx.Err() == nil {
		err = nil
	}
	return mine, err
}

// Propose implements rotation.Store. A version that the service named and that has a value is its candidate, whatever is
// offered (see Shelf.Create): a version's value cannot be changed.
func (s *Store) Propose(ctx context.Context, secret string, v rotation.Version) (rotation.Version, error) {
	if s.shelf.token == "" || v.Baseline {
		return s.Ledger.Propose(ctx, secret, v)
	}
	mine, err := s.filled(ctx, secret, rotation.StepCreate)
	if err != nil {
		return rotation.Version{}, err
	}
	if mine != nil && !mine.SamePassword(v) {
		history, err := s.History(ctx, secret)
		if err != nil {
			return rotation.Version{}, err
		}
		if i := slices.IndexFunc(history, mine.SamePassword); i >= 0 {
			return rotation.Version{}, fmt.Errorf("version %s of the secret %q holds generation %d and cannot get another password: cancel the rotation and begin another: %w",
				s.shelf.token, secret, history[i].Generation, rotation.ErrConflict)
		}
	}
	return s.Ledger.Propose(ctx, secret, v)
}

// Fill implements rotation.Stepper.
func (s *Store) Fill(ctx context.Context, secret string, v rotation.Version) error {
	token := s.shelf.token
	mine, err := s.filled(ctx, secret, rotation.StepCreate)
	if err != nil {
		return err
	}
	if mine == nil {
		_, value, err := s.shelf.Read(ctx, secret, v.ID)
		if err == nil {
			err = s.shelf.putFresh(ctx, secret, token, value)
		}
		if err == nil {
			err = s.shelf.seen(ctx, secret, labelNew, token)
		}
		if errors.Is(err, rotation.ErrExists) {
			err = fmt.Errorf("version %s has another value by now: %w", token, rotation.ErrConflict)
		}
		if err != nil {
			return fmt.Errorf("copy generation %d of the secret %q: %w", v.Generation, secret, err)
		}
	} else if !mine.SamePassword(v) {
		return fmt.Errorf("version %s of the secret %q holds another password than generation %d, which is pending: relock resume ends that first: %w",
			token, secret, v.Generation, rotation.ErrConflict)
	}
	// A put may have taken AWSPENDING along: no document says whether. It goes back only if it is nowhere else.
	st, err := s.shelf.look(ctx, secret)
	if err != nil {
		return err
	}
	if st.labels[labelPending] == token {
		return nil
	}
	if err = s.shelf.attach(ctx, secret, labelPending, token); errors.Is(err, rotation.ErrExists) {
		err = fmt.Errorf("the secret %q waits for another version than %s: %w", secret, token, rotation.ErrConflict)
	}
	return err
}
