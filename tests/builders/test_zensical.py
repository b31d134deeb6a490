from tools.builders import zensical


def test_without_a_site_to_compare_with_nothing_is_built(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(zensical, "ROOT", tmp_path)
    monkeypatch.setattr(zensical, "build", lambda: 1 / 0)
    assert zensical.main() == 1
    assert "run `make site` first" in capsys.readouterr().err
