package rotation

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Restart is what may be done to a machine that has to go down for its new password.
type Restart string

const (
	RestartNever    Restart = "never"    // such a machine is held back
	RestartGraceful Restart = "graceful" // shut down softly; what does not shut down is left alone
	RestartForce    Restart = "force"    // the provider's forced stop: may lose data
)

// Proof is what makes a machine proven.
type Proof string

const (
	ProofLogin    Proof = "login"    // a login, where one can be tried; else the provider's record
	ProofProvider Proof = "provider" // the provider's record
	ProofAccepted Proof = "accepted" // the provider's acceptance; reported as accepted, never as proven
)

// A Share is a number of machines or a percentage of them.
type Share struct {
	Number  int
	Percent bool
}

// ParseShare reads "10" or "5%". Zero and less are refused.
func ParseShare(s string) (Share, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || percent && n > 100 {
		return Share{}, fmt.Errorf("%q is neither a number of machines (10) nor a percentage from 1%% to 100%%", s)
	}
	return Share{n, percent}, nil
}

// Of is the share of n machines: a percentage is rounded down, and is at least 1.
func (s Share) Of(n int) int {
	if !s.Percent {
		return s.Number
	}
	return max(1, n*s.Number/100)
}

func (s Share) String() string {
	if s.Percent {
		return fmt.Sprintf("%d%%", s.Number)
	}
	return strconv.Itoa(s.Number)
}

// byMark is how a machine stands whose mark says MarkOK: where acceptance suffices, the mark says no more than that.
func (p Policy) byMark() State {
	if p.Proof == ProofAccepted {
		return StateAccepted
	}
	return StateProven
}

// Policy is what the operator allows. The zero Policy is the safest: nothing that runs is stopped.
type Policy struct {
	// Restart is what may be done to running machines. Empty means RestartNever.
	Restart Restart
	// Proof is what makes a machine proven. Empty means ProofLogin.
	Proof Proof
	// Canary is how many machines must be proven before the others are begun. Zero means 1, negative none.
	Canary int
	// MaxUnavailable is how many machines may be down at once, over all regions. Zero means 10.
	MaxUnavailable Share
	// MaxExceptions is how many machines that count may stay behind when a version becomes current. Zero means none.
	MaxExceptions int
	// IncludeKeyPairs rotates machines bound to a key pair too: a reset may re-enable their password login.
	IncludeKeyPairs bool
	// MaxAttempts is how often one machine is stopped for one candidate, 1 to 3. Zero means 3.
	MaxAttempts int
	// BatchSize is how many machines one request names, up to the provider's limit. Zero means the provider's limit.
	BatchSize int
	// PollInterval is the time between two looks at what is in flight. Zero means 5s.
	PollInterval time.Duration
	// Settle is how long before the deadline nothing new is begun. Zero means 8m.
	Settle time.Duration
	// SoftStopTimeout is how long a machine may take to shut down. Zero means 5m.
	SoftStopTimeout time.Duration
	// ResetTimeout is how long the provider's record may leave a reset unsettled before the same password is sent again.
	// Zero means 3m.
	ResetTimeout time.Duration
	// StartTimeout is how long a machine may take to start before that is reported as a failure. Zero means 5m.
	StartTimeout time.Duration
	// LoginTimeout is how long after its start a machine may refuse or not answer logins. Zero means 2m.
	LoginTimeout time.Duration
	// Window is when machines may be stopped. The zero Window is always open.
	Window Window
}

func (p Policy) withDefaults() Policy {
	set := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	set(&p.PollInterval, 5*time.Second)
	set(&p.Settle, 8*time.Minute)
	set(&p.SoftStopTimeout, 5*time.Minute)
	set(&p.ResetTimeout, 3*time.Minute)
	set(&p.StartTimeout, 5*time.Minute)
	set(&p.LoginTimeout, 2*time.Minute)
	if p.Restart == "" {
		p.Restart = RestartNever
	}
	if p.Proof == "" {
		p.Proof = ProofLogin
	}
	if p.Canary == 0 {
		p.Canary = 1
	}
	if p.MaxUnavailable.Number <= 0 {
		p.MaxUnavailable = Share{Number: 10}
	}
	if p.MaxAttempts <= 0 || p.MaxAttempts > maxTries {
		p.MaxAttempts = maxTries
	}
	return p
}
