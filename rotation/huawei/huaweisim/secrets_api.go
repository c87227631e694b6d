package huaweisim

import (
	"net/http"
	"slices"
)

// The APIs of the Cloud Secret Management Service, https://support.huaweicloud.com/intl/en-us/api-dew/dew_02_0300.html.
// Parameters that a common secret does not use are accepted where the APIs have them.

type createSecretRequest struct {
	Name                string   `json:"name"`
	KmsKeyID            string   `json:"kms_key_id"`
	Description         string   `json:"description"`
	SecretBinary        *string  `json:"secret_binary"`
	SecretString        *string  `json:"secret_string"`
	SecretType          string   `json:"secret_type"`
	AutoRotation        bool     `json:"auto_rotation"`
	RotationPeriod      string   `json:"rotation_period"`
	RotationConfig      string   `json:"rotation_config"`
	EventSubscriptions  []string `json:"event_subscriptions"`
	EnterpriseProjectID string   `json:"enterprise_project_id"`
	RotationFuncURN     string   `json:"rotation_func_urn"`
}

type secretInfo struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	State       string `json:"state"`
	KmsKeyID    string `json:"kms_key_id"`
	Description string `json:"description"`
	CreateTime  int64  `json:"create_time"` // milliseconds
	UpdateTime  int64  `json:"update_time"`
	SecretType  string `json:"secret_type"`
}

const demoKey = "bb6a3d22-dc93-47ac-b5bd-88df7ad35f1e" // the default key csms/default

func (s *secret) info() secretInfo {
	at := s.created.UnixMilli()
	return secretInfo{s.id, s.name, s.state, demoKey, s.description, at, at, "COMMON"}
}

func createSecret(c *Cloud, k *call, r *createSecretRequest) (any, error) {
	if !named(r.Name) || len(r.Description) > 2048 || r.SecretType != "" && r.SecretType != "COMMON" {
		return nil, invalid(serviceCSMS, "name, description or secret_type is not valid.")
	}
	v, failure := newVersion(r.SecretString, r.SecretBinary, 0, k.now)
	if failure != nil {
		return nil, failure
	}
	if c.secrets[k.Region][r.Name] != nil {
		return nil, invalid(serviceCSMS, "the secret already exists.")
	}
	if len(c.secrets[k.Region]) >= maxSecrets {
		return nil, refuse(http.StatusBadRequest, "CSMS.0202", "The number of secret has reached the upper limit.")
	}
	s := c.newSecret(k.Region, r.Name, k.now)
	s.description = r.Description
	s.append(v)
	s.stages[stageCurrent] = staged{v.number, k.now}
	return map[string]any{"secret": s.info()}, nil
}

func showSecret(c *Cloud, k *call) (any, error) {
	s, err := c.secretOf(k)
	if err != nil {
		return nil, err
	}
	return map[string]any{"secret": s.info()}, nil
}

func listSecrets(c *Cloud, k *call) (any, error) {
	var all []*secret
	for _, s := range c.secrets[k.Region] {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *secret) int { return a.number - b.number })
	page, info, err := paged(k, all, func(s *secret) string { return s.name })
	if err != nil {
		return nil, err
	}
	secrets := []secretInfo{}
	for _, s := range page {
		secrets = append(secrets, s.info())
	}
	return map[string]any{"secrets": secrets, "page_info": info}, nil
}

type pageInfo struct {
	NextMarker     *string `json:"next_marker"`
	PreviousMarker *string `json:"previous_marker"`
	CurrentCount   int     `json:"current_count"`
}

// paged is one page of a list: limit is 50 by default, and marker is the id of the last entry of the page before.
func paged[T any](k *call, all []T, id func(T) string) ([]T, pageInfo, error) {
	q := query{k: k}
	limit := q.number("limit", 50, 1, 50)
	q.known("limit", "marker", "event_name")
	if q.wrong != nil {
		return nil, pageInfo{}, q.wrong
	}
	from := 0
	if marker := q.text("marker"); marker != "" {
		from = 1 + slices.IndexFunc(all, func(t T) bool { return id(t) == marker })
		if from == 0 {
			return nil, pageInfo{}, invalid(serviceCSMS, "marker is not valid.")
		}
	}
	to := min(from+limit, len(all))
	page := all[from:to]
	info := pageInfo{CurrentCount: len(page)}
	if to < len(all) {
		info.NextMarker = pointer(id(all[to-1]))
	}
	if len(page) > 0 {
		info.PreviousMarker = pointer(id(page[0]))
	}
	return page, info, nil
}

type createVersionRequest struct {
	SecretBinary  *string  `json:"secret_binary"`
	SecretString  *string  `json:"secret_string"`
	VersionStages []string `json:"version_stages"`
	ExpireTime    int64    `json:"expire_time"`
}

type versionInfo struct {
	ID            string   `json:"id"`
	CreateTime    int64    `json:"create_time"`
	ExpireTime    *int64   `json:"expire_time"`
	KmsKeyID      string   `json:"kms_key_id"`
	SecretName    string   `json:"secret_name"`
	VersionStages []string `json:"version_stages"`
}

func (s *secret) metadata(v *secretVersion) versionInfo {
	info := versionInfo{ID: v.id(), CreateTime: v.created.UnixMilli(), KmsKeyID: demoKey, SecretName: s.name, VersionStages: s.stagesOf(v.number)}
	if v.expires != 0 {
		info.ExpireTime = &v.expires
	}
	return info
}

// createSecretVersion: https://support.huaweicloud.com/intl/en-us/api-dew/CreateSecretVersion.html. Without stages "the new
// version is marked SYSCURRENT, and the former one SYSPREVIOUS". There is no token that would make it repeatable.
func createSecretVersion(c *Cloud, k *call, r *createVersionRequest) (any, error) {
	s, err := c.usable(k)
	if err != nil {
		return nil, err
	}
	v, failure := newVersion(r.SecretString, r.SecretBinary, r.ExpireTime, k.now)
	if failure != nil {
		return nil, failure
	}
	if r.VersionStages != nil && (len(r.VersionStages) == 0 || len(r.VersionStages) > maxStages) || slices.ContainsFunc(r.VersionStages, func(n string) bool { return !named(n) }) {
		return nil, invalid(serviceCSMS, "version_stages is not valid.")
	}
	stages := r.VersionStages
	if stages == nil {
		stages = []string{stageCurrent}
		if _, ok := s.stages[stageCurrent]; ok {
			stages = append(stages, stagePrevious)
		}
	}
	if failure := s.room(stages); failure != nil {
		return nil, failure
	}
	current, had := s.stages[stageCurrent]
	s.append(v)
	if r.VersionStages == nil {
		s.stages[stageCurrent] = staged{v.number, k.now}
		if had {
			s.stages[stagePrevious] = staged{current.version, k.now}
		}
	}
	for _, stage := range r.VersionStages {
		c.move(s, stage, v.number, k.now)
	}
	c.prune(s)
	return map[string]any{"version_metadata": s.metadata(v)}, nil
}

func listSecretVersions(c *Cloud, k *call) (any, error) {
	s, err := c.secretOf(k)
	if err != nil {
		return nil, err
	}
	newest := slices.Clone(s.versions)
	slices.Reverse(newest)
	page, info, err := paged(k, newest, (*secretVersion).id)
	if err != nil {
		return nil, err
	}
	versions := []versionInfo{}
	for _, v := range page {
		versions = append(versions, s.metadata(v))
	}
	return map[string]any{"version_metadatas": versions, "page_info": info}, nil
}

func showSecretVersion(c *Cloud, k *call) (any, error) {
	s, err := c.usable(k)
	if err != nil {
		return nil, err
	}
	v, err := c.versionOf(s, k.path["version_id"])
	if err != nil {
		return nil, err
	}
	out := struct {
		Metadata     versionInfo `json:"version_metadata"`
		SecretBinary *string     `json:"secret_binary"`
		SecretString *string     `json:"secret_string"`
	}{Metadata: s.metadata(v)}
	if v.binary {
		out.SecretBinary = &v.value
	} else {
		out.SecretString = &v.value
	}
	return map[string]any{"version": out}, nil
}

func (c *Cloud) versionOf(s *secret, id string) (*secretVersion, error) {
	n, ok := versionNumber(id)
	if !ok {
		return nil, invalid(serviceCSMS, "version_id is not valid.")
	}
	if v := s.version(n); v != nil {
		return v, nil
	}
	return nil, c.noResource("version " + id)
}

type stageInfo struct {
	Name       string `json:"name"`
	UpdateTime int64  `json:"update_time"`
	SecretName string `json:"secret_name"`
	VersionID  string `json:"version_id"`
}

func (s *secret) stage(name string) any {
	at := s.stages[name]
	return map[string]any{"stage": stageInfo{name, at.since.UnixMilli(), s.name, versionID(at.version)}}
}

// stageOf returns the secret and the stage that a call names. The stage need not exist.
func (c *Cloud) stageOf(k *call) (*secret, string, error) {
	s, err := c.usable(k)
	if err == nil && !named(k.path["stage_name"]) {
		err = invalid(serviceCSMS, "stage_name is not valid.")
	}
	return s, k.path["stage_name"], err
}

func showSecretStage(c *Cloud, k *call) (any, error) {
	s, stage, err := c.stageOf(k)
	if err != nil {
		return nil, err
	}
	if _, ok := s.stages[stage]; !ok {
		return nil, c.noResource("stage " + stage)
	}
	return s.stage(stage), nil
}

type updateStageRequest struct {
	VersionID string `json:"version_id"`
}

// updateSecretStage moves a stage, or makes it: https://support.huaweicloud.com/intl/en-us/api-dew/UpdateSecretStage.html.
func updateSecretStage(c *Cloud, k *call, r *updateStageRequest) (any, error) {
	s, stage, err := c.stageOf(k)
	if err != nil {
		return nil, err
	}
	v, err := c.versionOf(s, r.VersionID)
	if err != nil {
		return nil, err
	}
	if failure := s.room([]string{stage}); failure != nil {
		return nil, failure
	}
	c.move(s, stage, v.number, k.now)
	return s.stage(stage), nil
}

// deleteSecretStage: https://support.huaweicloud.com/intl/en-us/api-dew/DeleteSecretStage.html. Built-in stages stay.
func deleteSecretStage(c *Cloud, k *call) (any, error) {
	s, stage, err := c.stageOf(k)
	if err != nil {
		return nil, err
	}
	if stage == stageCurrent || stage == stagePrevious {
		return nil, refuse(http.StatusBadRequest, "CSMS.0105", "Can not delete the system internal stage.")
	}
	if _, ok := s.stages[stage]; !ok {
		return nil, c.noResource("stage " + stage)
	}
	delete(s.stages, stage)
	c.prune(s)
	return nil, nil
}
