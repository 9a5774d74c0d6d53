import pytest

from mmkd_plugin.compatibility import check_host


def test_the_host_that_is_installed_will_do():
    assert check_host() is None


def test_a_missing_package_comes_with_the_command_that_installs_it():
    with pytest.raises(
        ImportError, match=r"needs mmabsent, but 'mmabsent' cannot be imported. Run: pip install 'onedl-mmabsent>=1,<2'"
    ):
        check_host({'mmabsent': ('onedl-mmabsent', '1', '2')})


def test_a_version_out_of_range_comes_with_the_command_that_mends_it():
    with pytest.raises(ImportError, match=r"needs mmengine>=90,<91, but version .* Run: pip install 'onedl-mmengine>=90,<91'"):
        check_host({'mmengine': ('onedl-mmengine', '90', '91')})
